"""What happened to a request or a server, as values. `labctl.explain` finds it out; `labctl.ui` shows it."""

from dataclasses import dataclass
from datetime import datetime

from labctl.service_logs import Entry


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        entry: What the service logged.
        node: The node that it happened on; empty for the control plane.
        times: How often it was logged, one after the other.
        until: When for the last time.
        is_noise: Whether it says nothing about why something failed.
    """

    entry: Entry
    node: str
    times: int
    until: datetime
    is_noise: bool


@dataclass(frozen=True)
class Cause:
    """What went wrong first.

    Attributes:
        event: Where it was seen.
        why: What that means; empty where labctl does not know.
        remedy: What to do.
        evidence: What else was seen.
    """

    event: Event
    why: str
    remedy: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Story:
    """What happened.

    Attributes:
        subject: To what: a server or requests.
        record: What nova says of it: status, fault, action.
        requests: The requests that were followed, the asked one first.
        cause: What went wrong first; None where the logs have nothing of the kind.
        events: All that was logged about it, in order of time.
        left_out: What could not be looked at, and why.
    """

    subject: str
    record: tuple[str, ...]
    requests: tuple[str, ...]
    cause: Cause | None
    events: tuple[Event, ...]
    left_out: tuple[str, ...] = ()
