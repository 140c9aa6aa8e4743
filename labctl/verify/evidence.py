"""What shows why a test failed: its requests, and what the services logged about them."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from labctl.service_logs import REQUEST_ID, TROUBLE, LoggedLine, entries
from labctl.verify.results import Result

REQUEST = re.compile(r"Request \((?P<who>[^)]*)\): (?P<status>\d{3}) (?P<method>[A-Z]+) (?P<url>\S+)")
"""How Tempest logs a request (tempest/lib/common/rest_client.py); the answer's headers follow."""

CLEANUP = ":_run_cleanups"
"""Ends the name of who asks, once the test itself has passed or failed (testtools.TestCase)."""

ANSWERED = re.compile(r"'(?:x-openstack-request-id|x-compute-request-id|x-trans-id)': '(?P<id>[^']+)'")

MOST_LINES = 60
"""Log lines that are kept of each failed test."""


@dataclass(frozen=True)
class Request:
    """A request of a test.

    Attributes:
        id: By which the services' logs name it.
        method: GET, POST, ...
        url: What was asked.
        status: The HTTP status of the answer.
        tidies: Whether it removed what the test had made.
    """

    id: str
    method: str
    url: str
    status: int
    tidies: bool = False

    @property
    def matters(self) -> bool:
        """Whether it changed something, or was refused: not one of the many that ask how far something is."""
        return self.method not in ("GET", "HEAD") or self.status >= 400

    def __str__(self) -> str:
        return f"{self.id} {self.status} {self.method} {self.url}"


@dataclass(frozen=True)
class LogLine:
    """A line of a service's log.

    Attributes:
        service: The service.
        text: The line.
        ids: The requests that it is about.
    """

    service: str
    text: str
    ids: frozenset[str]

    @property
    def is_trouble(self) -> bool:
        """Whether it is a warning or worse."""
        return TROUBLE.search(self.text) is not None


@dataclass(frozen=True)
class Failure:
    """A failed test, and what is known of it.

    Attributes:
        result: What the runner said.
        requests: Its requests that matter.
        lines: What the services logged about its requests.
    """

    result: Result
    requests: tuple[Request, ...]
    lines: tuple[LogLine, ...] = ()


ReadLogs = Callable[[float], Iterable[LoggedLine]]
"""The lines that a lab's services have logged since a time."""


def requests_of(log: str) -> tuple[Request, ...]:
    """The requests of a test, out of what Tempest logged."""
    heads = list(REQUEST.finditer(log))
    found = []
    for place, head in enumerate(heads, 1):
        end = heads[place].start() if place < len(heads) else len(log)
        answered = ANSWERED.search(log, head.end(), end)
        if answered:
            tidies = head["who"].endswith(CLEANUP)
            found.append(Request(answered["id"], head["method"], head["url"], int(head["status"]), tidies))
    return tuple(found)


def gather(failed: Sequence[Result], read_logs: ReadLogs) -> tuple[Failure, ...]:
    """Finds what the services logged about the requests of failed tests.

    Args:
        failed: The results.
        read_logs: Reads the services' logs.
    """
    asked = {result.id: requests_of(result.log) for result in failed}
    wanted = {request.id for requests in asked.values() for request in requests}
    wanted.update(identifier for result in failed for identifier in REQUEST_ID.findall(result.traceback))
    lines = _lines_about(wanted, min(result.began for result in failed), read_logs) if wanted else ()
    return tuple(_failure(result, asked[result.id], lines) for result in failed)


def _failure(result: Result, requests: tuple[Request, ...], lines: Iterable[LogLine]) -> Failure:
    # What a test removes when it has failed says nothing of why; unless there is nothing else.
    requests = tuple(request for request in requests if not request.tidies) or requests
    ids = {request.id for request in requests}.union(REQUEST_ID.findall(result.traceback))
    about = [line for line in lines if line.ids & ids]
    # Where nothing went wrong in a service, what it did last says most.
    telling = [line for line in about if line.is_trouble] or about
    return Failure(result, tuple(request for request in requests if request.matters), tuple(telling[-MOST_LINES:]))


def _lines_about(wanted: set[str], since: float, read_logs: ReadLogs) -> tuple[LogLine, ...]:
    """The lines about one of the requests, with the tracebacks below them."""
    return tuple(
        LogLine(entry.service, text, frozenset(wanted.intersection(entry.requests)))
        for entry in entries(read_logs(since))
        if wanted.intersection(entry.requests)
        for text in entry.raw
    )
