"""The log that QEMU and libvirt write of a guest: /var/log/libvirt/qemu/DOMAIN.log."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from labctl.service_logs import Entry, time_of

STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d\.\d+)(?:\+0000:|Z) ", re.ASCII)
"""libvirt's own lines, and QEMU's with `-msg timestamp=on`."""


EVER = datetime.fromtimestamp(0, UTC)
"""Where the first time in the log is none."""


def guest_entries(service: str, domain: str, log: str) -> Iterator[Entry]:
    """What the log says, without the command lines.

    Args:
        service: Whose it is.
        domain: libvirt's name of the guest.
        log: The whole log.
    """
    at: datetime | None = None
    is_command = False
    for line in log.splitlines():
        # The shell's way to write one command on several lines.
        goes_on, is_command = is_command, line.endswith("\\")
        if is_command or goes_on:
            continue
        stamp = STAMP.match(line)
        if stamp:
            at = time_of(f"{stamp[1]}T{stamp[2]}", at or EVER)
        if at is not None:
            text = f"{domain}.log: {line[stamp.end() :] if stamp else line}"
            yield Entry(service, at, "INFO", "qemu", (), "", text, (line,))
