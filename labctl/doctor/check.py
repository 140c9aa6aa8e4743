"""What a check is, and how checks are run: all of them, and all findings at once."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from labctl.errors import LabctlError
from labctl.findings import Finding, Fix, Place

Facts = TypeVar("Facts")


@dataclass(frozen=True)
class Evidence:
    """What a check saw, of one thing that is wrong.

    Attributes:
        lines: What was seen, the most telling first.
        place: Where in a file.
        remedy: What to do about this one; empty: what the check says.
        is_error: Whether something does not work because of it.
        fix: A safe command that mends it.
    """

    lines: tuple[str, ...]
    place: Place | None = None
    remedy: str = ""
    is_error: bool = True
    fix: Fix | None = None


@dataclass(frozen=True)
class Check(Generic[Facts]):
    """One check.

    Attributes:
        id: Its name for programs; never changes.
        title: What is wrong where it finds something.
        why: Why that matters.
        remedy: What to do about it.
        look: The check itself: facts in, evidence out.
    """

    id: str
    title: str
    why: str
    remedy: str
    look: Callable[[Facts], Iterable[Evidence]]


def check(
    id: str, *, title: str, why: str, remedy: str
) -> Callable[[Callable[[Facts], Iterable[Evidence]]], Check[Facts]]:
    """Makes a function of facts a check; the arguments are the attributes of `Check`."""

    def make(look: Callable[[Facts], Iterable[Evidence]]) -> Check[Facts]:
        return Check(id, title, why, remedy, look)

    return make


def examine(checks: Sequence[Check[Facts]], facts: Facts) -> tuple[Finding, ...]:
    """Runs every check on the same facts; errors come first, else the order is that of the checks."""
    found = [
        Finding(
            check=one.id,
            title=one.title,
            why=one.why,
            evidence=seen.lines,
            remedy=seen.remedy or one.remedy,
            place=seen.place,
            is_error=seen.is_error,
            fix=seen.fix,
        )
        for one in checks
        for seen in one.look(facts)
    ]
    return tuple(sorted(found, key=lambda finding: not finding.is_error))


def refusal(error: LabctlError) -> Evidence:
    """The evidence of what another part of labctl refuses: its own words."""
    return Evidence((error.what, *error.evidence), remedy=error.remedy)
