"""ICMP from the host's network namespace, sent by a container: a user may lack both ping and ICMP sockets."""

import re
from ipaddress import IPv4Address

from labctl.engine.labels import LAB_LABEL
from labctl.engine.process import run
from labctl.engine.short_lived import docker_run

WAIT_SECONDS = 1
"""How long one reply may take."""


def ping_from_host(image: str, address: IPv4Address, lab: str) -> float | None:
    """Sends one echo request.

    Args:
        image: An image with ping.
        address: Where to.
        lab: Whose container it is.

    Returns:
        The round trip in milliseconds, or None when nothing came back.
    """
    answer = run(
        [
            *docker_run("--network", "host", "--label", f"{LAB_LABEL}={lab}"),
            *("--user", "0", "--cap-drop", "ALL", "--cap-add", "NET_RAW"),
            *(image, "ping", "-n", "-c", "1", "-W", str(WAIT_SECONDS), str(address)),
        ],
        check=False,
    )
    found = re.search(r"time=([\d.]+) ms", answer.stdout)
    return float(found.group(1)) if found else None
