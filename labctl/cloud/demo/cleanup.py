"""Removing what a run made: written down before it is made, removed in the order that dependencies ask for."""

import threading
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from labctl.cloud.waiting import Pending, wait_until
from labctl.errors import CloudCheckFailed
from labctl.events import Emit, Note, step

_GONE_SECONDS = 90.0


class Kind(IntEnum):
    """What the demo makes, in the order of removal.

    A router cannot lose an interface that a floating IP needs, a network cannot go while servers have ports in it, an
    image may back a server's disk. The provider network is last: routers and floating IPs hold it.
    """

    SERVER = 1
    FLOATING_IP = 2
    ROUTER = 3
    NETWORK = 4
    SECURITY_GROUP = 5
    SERVER_GROUP = 6
    KEYPAIR = 7
    FLAVOR = 8
    IMAGE = 9
    PROVIDER_NETWORK = 10

    @property
    def title(self) -> str:
        """For people: "floating ip"."""
        return self.name.lower().replace("_", " ")


@dataclass(frozen=True)
class Made:
    """Something that this run made, or was about to.

    Attributes:
        kind: Of what kind.
        name: A name, or a tag, that only things of this run carry.
    """

    kind: Kind
    name: str

    def __str__(self) -> str:
        return f"{self.kind.title} {self.name}"


@dataclass(frozen=True)
class LeftBehind:
    """Something that could not be removed, and why."""

    made: Made
    reason: str

    def __str__(self) -> str:
        return f"{self.made}: {self.reason}"


class StillUsed(Exception):  # noqa: N818 - an answer of the cloud, that the caller turns into words
    """The cloud refuses the removal as something else uses the thing."""


class Holdings(Protocol):
    """The cloud, seen as a place where things lie by name."""

    def find(self, made: Made) -> tuple[str, ...]:
        """The ids of what carries the name. Raises CloudCheckFailed."""

    def remove(self, made: Made, identifier: str) -> None:
        """Removes one of them, or starts to. Raises CloudCheckFailed or StillUsed."""


class Ledger:
    """What a run has to remove at its end. Safe to use from many threads.

    Things are written down before the request that makes them: a request that is cut off, or times out, may have
    made something all the same, and is then found by its name.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: list[Made] = []

    def intend(self, kind: Kind, name: str) -> None:
        """Writes down that the thing is about to be made."""
        with self._lock:
            made = Made(kind, name)
            if made not in self._made:
                self._made.append(made)

    def in_order(self) -> tuple[Made, ...]:
        """All of it, in the order of removal."""
        with self._lock:
            return tuple(sorted(self._made, key=lambda made: made.kind))


def remove_all(
    ledger: Ledger, holdings: Holdings, emit: Emit, title: str = "Remove what the demo made"
) -> tuple[LeftBehind, ...]:
    """Removes everything in the ledger; one failure does not stop the rest.

    Args:
        ledger: What the run made.
        holdings: Where.
        emit: Takes the step, and a note when something shared is left as others use it.
        title: What the step is called.

    Returns:
        What is still there.

    Raises:
        KeyboardInterrupt: A second Ctrl-C; what was not reached yet is named in a note first.
    """
    left: list[LeftBehind] = []
    todo = list(ledger.in_order())
    with step(emit, title) as evidence:
        count = len(todo)
        try:
            while todo:
                reason = _remove(todo[0], holdings, emit, others_may_use=not left)
                if reason:
                    left.append(LeftBehind(todo[0], reason))
                todo.pop(0)
        except KeyboardInterrupt:
            emit(Note(f"Not removed: {', '.join(str(made) for made in todo)}", level="warning"))
            raise
        evidence.text = f"{count - len(left)} of {count} removed"
    return tuple(left)


def _remove(made: Made, holdings: Holdings, emit: Emit, *, others_may_use: bool) -> str:
    """Removes what carries the name; returns why it is still there, or nothing."""
    try:
        for identifier in holdings.find(made):
            holdings.remove(made, identifier)
        if made.kind is Kind.SERVER:
            # The other kinds are gone when the API says so; a server goes after it, and its ports with it.
            wait_until(lambda: _gone(made, holdings), f"{made} to be gone", _GONE_SECONDS, 0.5)
    except StillUsed as used:
        # When all of this run's own things are gone, somebody else uses it: another demo that runs at the same time.
        if others_may_use and made.kind is Kind.PROVIDER_NETWORK:
            emit(Note(f"The {made} stays: others use it ({used})."))
            return ""
        return str(used)
    except CloudCheckFailed as error:
        return " - ".join((error.what, *error.evidence))
    except Exception as error:
        # Not foreseen; but what comes after in the order must go all the same, and the reason is told.
        return f"{type(error).__name__}: {error}"
    return ""


def _gone(made: Made, holdings: Holdings) -> bool | Pending:
    ids = holdings.find(made)
    return Pending(f"still there: {', '.join(ids)}") if ids else True


def complain(left: tuple[LeftBehind, ...], failure: BaseException | None, emit: Emit) -> None:
    """Names what was left behind: as an error, or beside the failure that came first.

    Args:
        left: What `remove_all` returned.
        failure: Why the demo ended early, if it did; it stays the error that the person sees.
        emit: Takes the note.

    Raises:
        CloudCheckFailed: Something was left behind, and the demo was fine otherwise.
    """
    if not left:
        return
    if failure is not None:
        emit(Note("Not removed: " + "; ".join(str(one) for one in left), level="warning"))
        return
    raise CloudCheckFailed(
        "The demo worked, but not all that it made could be removed.",
        evidence=tuple(str(one) for one in left),
        remedy="Remove it as admin (`admin-openrc` in the lab's folder and the `openstack` client), or remove the lab.",
    )
