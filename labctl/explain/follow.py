"""Which entries of the services' logs are about a request or a server."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from labctl.service_logs import Entry


@dataclass(frozen=True)
class Subject:
    """What the story is about.

    Attributes:
        requests: The ids of its requests.
        server: The server's id; empty for requests alone.
        names: By what services call the server in what they do by themselves: ids of it and its ports, libvirt's name.
        begin: When it began; None where that is not known.
        end: When something else began with that server; None where nothing has.
    """

    requests: frozenset[str]
    server: str = ""
    names: frozenset[str] = frozenset()
    begin: datetime | None = None
    end: datetime | None = None


def linked_requests(asked: Iterable[str], entries: Iterable[Entry]) -> tuple[str, ...]:
    """The requests that belong together: the asked ones, those that they were made for, and all made on their behalf.

    A service logs `[GLOBAL LOCAL ...]` of a request that another service made on behalf of GLOBAL (oslo.context).

    Args:
        asked: Request ids.
        entries: All that was logged.

    Returns:
        The ids, where they came from first.
    """
    made: defaultdict[str, dict[str, None]] = defaultdict(dict)
    made_for: dict[str, str] = {}
    for entry in entries:
        if len(entry.requests) == 2:
            origin, local = entry.requests
            made[origin][local] = None
            made_for[local] = origin
    found = dict.fromkeys(made_for.get(one, one) for one in asked) | dict.fromkeys(asked)
    waiting = list(found)
    while waiting:
        new = [one for one in made[waiting.pop(0)] if one not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return tuple(found)


def about(subject: Subject, entries: Iterable[Entry]) -> Iterator[Entry]:
    """The entries that are about it."""
    return (entry for entry in entries if _is_about(subject, entry))


def _is_about(subject: Subject, entry: Entry) -> bool:
    if subject.requests.intersection(entry.requests):
        return True
    if not subject.server or _is_outside(subject, entry.at):
        return False
    if entry.instance:
        # Another's request, such as a look at it, is another story.
        return entry.instance == subject.server and (entry.is_own or not entry.requests)
    return (entry.is_own or not entry.requests) and any(name in entry.text for name in subject.names)


def _is_outside(subject: Subject, at: datetime) -> bool:
    return (subject.begin is not None and at < subject.begin) or (subject.end is not None and at >= subject.end)
