"""What a terminal shows at one moment, worked out from events. Knows nothing of terminals."""

from dataclasses import dataclass, replace
from typing import Final

from labctl.events import (
    Event,
    Note,
    PlanMade,
    PlannedStepFinished,
    PlannedStepStarted,
    ServiceChanged,
    StepFailed,
    StepFinished,
    StepStarted,
)
from labctl.ui.plain import one_line, to_text
from labctl.ui.plan import plan_text

GOOD: Final = frozenset({"running", "healthy", "done", "built", "cached", "pushed", "removed", "stopped"})
"""States with which a service or an image is where it should be."""

BAD: Final = frozenset({"failed", "unhealthy", "cancelled"})

IDLE: Final = frozenset({"waiting"})


@dataclass(frozen=True)
class Row:
    """A service or an image.

    Attributes:
        name: Its name.
        state: Its state.
        detail: More in a few words.
        begin: When it left `waiting`, in seconds since the epoch; None while it waits.
        changed: When it got its state.
    """

    name: str
    state: str
    detail: str
    begin: float | None
    changed: float

    @property
    def is_moving(self) -> bool:
        """Whether it is on its way to another state."""
        return self.state not in GOOD | BAD | IDLE

    def seconds(self, now: float) -> float | None:
        """How long it took, or has taken so far; None where it still waits."""
        if self.begin is None:
            return None
        return (now if self.is_moving else self.changed) - self.begin


@dataclass(frozen=True)
class Line:
    """A line that stays: a finished step or a note.

    Attributes:
        kind: good, bad, warning or info.
        text: What was done or said.
        seconds: How long it took; None for a note.
        evidence: What shows that it worked, or why it failed.
    """

    kind: str
    text: str
    seconds: float | None = None
    evidence: str = ""


@dataclass(frozen=True)
class Board:
    """What is going on.

    Attributes:
        steps: The running steps and when they began, outermost first.
        rows: Services and images in the order in which they were first heard of.
    """

    steps: tuple[StepStarted, ...] = ()
    rows: tuple[Row, ...] = ()

    def after(self, event: Event) -> tuple["Board", Line | None]:
        """Takes an event.

        Args:
            event: What happened.

        Returns:
            The board after it, and the line that it leaves behind, if any.
        """
        match event:
            case StepStarted():
                return replace(self, steps=(*self.steps, event)), None
            case StepFinished(step=name, seconds=seconds, evidence=evidence):
                return self._without(name), Line("good", name, seconds, one_line(evidence))
            case StepFailed(step=name, seconds=seconds, reason=reason):
                return self._without(name), Line("bad", name, seconds, one_line(reason))
            case ServiceChanged():
                return self._changed(event), None
            case Note(text=text, level=level):
                return self, Line(level, one_line(text))
            case PlanMade():
                return self, Line("info", plan_text(event))
            case PlannedStepStarted() | PlannedStepFinished():
                return self, None
            case _:
                return self, Line("info", to_text(event))

    def _without(self, step: str) -> "Board":
        """Ends the innermost step of that name."""
        for index in reversed(range(len(self.steps))):
            if self.steps[index].step == step:
                return replace(self, steps=self.steps[:index] + self.steps[index + 1 :])
        return self

    def _changed(self, event: ServiceChanged) -> "Board":
        old = next((row for row in self.rows if row.name == event.service), None)
        begin = old.begin if old else None
        if begin is None and event.state not in IDLE:
            begin = event.at
        row = Row(event.service, event.state, one_line(event.detail), begin, event.at)
        if old is None:
            return replace(self, rows=(*self.rows, row))
        return replace(self, rows=tuple(row if each is old else each for each in self.rows))

    def fitting(self, height: int) -> tuple[tuple[Row, ...], str]:
        """Chooses the rows for a terminal that has not enough lines for all.

        Args:
            height: How many lines there are.

        Returns:
            The rows to show, in their order, and what to say of the rest: empty where all fit. Trouble goes first, then
            what moves, then what waits.
        """
        if len(self.rows) <= height:
            return self.rows, ""
        chosen = sorted(self.rows, key=_interest)[: max(0, height - 1)]
        hidden = [row.state for row in self.rows if row not in chosen]
        counts = ", ".join(f"{hidden.count(state)} {state}" for state in dict.fromkeys(hidden))
        return tuple(row for row in self.rows if row in chosen), f"and {counts}"


def _interest(row: Row) -> tuple[int, float]:
    if row.state in BAD:
        return 0, row.changed
    if row.is_moving:
        return 1, row.changed
    return (2, row.changed) if row.state in IDLE else (3, -row.changed)
