"""How OpenStack's services log: lines, and the entries that they make up."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

REQUEST_ID = re.compile(r"\b(?:req-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|tx[0-9a-f]{21}-[0-9a-f]{10})\b")
"""Request ids of services on oslo.middleware, and transaction ids of Swift."""

TROUBLES = ("WARNING", "ERROR", "CRITICAL")
"""The levels that something went wrong with."""

TROUBLE = re.compile(rf"\b(?:{'|'.join(TROUBLES)})\b")

OSLO = re.compile(
    r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) \d+ (?P<level>[A-Z]+) (?P<logger>\S+) "
    r"(?P<context>\[(?:-|None|(?:None|req-\S+) [^\]]*)\] ?)?(?:\[instance: (?P<instance>\S+)\] ?)?(?P<text>.*)",
    re.ASCII,
)
"""A line of oslo.log: `logging_context_format_string`, `logging_default_format_string`, and for tracebacks, which have
no context, `logging_exception_prefix` (oslo_log/_options.py)."""

OWN = re.compile(r"(?: -)+\]")
"""How the context ends where nobody asked for it: no user, no project."""

LIBVIRT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\+0000: \d+: (?P<level>warning|error) : (?P<text>.*)")
"""A line of libvirt's daemon (https://libvirt.org/logging.html)."""


@dataclass(frozen=True)
class LoggedLine:
    """A line of a container's log.

    Attributes:
        service: The service.
        at: When the engine read it.
        text: The line.
    """

    service: str
    at: datetime
    text: str


@dataclass(frozen=True)
class Entry:
    """What a service logged at once: a line, with the traceback or the rest of the message below it.

    Attributes:
        service: The service.
        at: When, by the service's own clock where it says so.
        level: INFO, WARNING, ERROR, ...; INFO where the line says none.
        logger: The module that logged it; empty where the line says none.
        requests: The requests that it is about; where there are two, the second was made on behalf of the first.
        instance: The id of the server that it is about; mostly empty.
        text: The message.
        raw: All its lines, as they are.
        is_own: Whether nobody's request was the reason, but the service's own work.
    """

    service: str
    at: datetime
    level: str
    logger: str
    requests: tuple[str, ...]
    instance: str
    text: str
    raw: tuple[str, ...]
    is_own: bool = False

    @property
    def is_trouble(self) -> bool:
        """Whether it is a warning or worse."""
        return self.level in TROUBLES

    @cached_property
    def detail(self) -> tuple[str, ...]:
        """The lines below the first, without what each of them begins with."""
        matches = ((OSLO.match(line), line) for line in self.raw[1:])
        return tuple(match["text"] if match else line for match, line in matches)

    @cached_property
    def exceptions(self) -> tuple[str, ...]:
        """The exceptions of its traceback, the first one first: the last line of each, which begins at the margin."""
        return tuple(line for line in self.detail if re.match(r"[A-Za-z_][\w.]*(?:: |$)", line))


def time_of(text: str, otherwise: datetime) -> datetime:
    """A time in UTC as it was logged; what only looks like one, such as the 99th of a month, is not taken for it."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return otherwise


def entries(lines: Iterable[LoggedLine]) -> Iterator[Entry]:
    """Puts lines together to entries.

    Args:
        lines: Those of one service after the other, each in its order.
    """
    head: LoggedLine | None = None
    raw: list[str] = []
    for line in lines:
        if head is not None and head.service == line.service and _goes_on(head, line):
            raw.append(line.text)
            continue
        if head is not None:
            yield _entry(head, raw)
        head, raw = line, [line.text]
    if head is not None:
        yield _entry(head, raw)


def _goes_on(head: LoggedLine, line: LoggedLine) -> bool:
    """Whether a line belongs to the entry that another began."""
    first, found = OSLO.match(head.text), OSLO.match(line.text)
    if found:
        same = first is not None and (first["at"], first["logger"]) == (found["at"], found["logger"])
        return same and not found["context"]
    return first is not None and not REQUEST_ID.search(line.text)


def _entry(head: LoggedLine, raw: list[str]) -> Entry:
    found = OSLO.match(head.text)
    if found is None:
        libvirt = LIBVIRT.match(head.text)
        level, text = (libvirt["level"].upper(), libvirt["text"]) if libvirt else ("INFO", head.text)
        ids = tuple(dict.fromkeys(REQUEST_ID.findall(head.text)))
        return Entry(head.service, head.at, level, "", ids, "", text, tuple(raw))
    context = found["context"] or ""
    return Entry(
        head.service,
        time_of(found["at"], head.at),
        found["level"],
        found["logger"],
        tuple(dict.fromkeys(REQUEST_ID.findall(context))),
        found["instance"] or "",
        found["text"],
        tuple(raw),
        is_own=OWN.search(context) is not None,
    )
