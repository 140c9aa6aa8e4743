"""One line an event with the seconds since the first, for logs and pipes."""

import threading
from dataclasses import asdict
from typing import TextIO

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
from labctl.ui.json import event_name
from labctl.ui.plan import plan_text


def one_line(text: str) -> str:
    """Joins the lines of a text, so that one event stays one line."""
    return " / ".join(line.strip() for line in text.splitlines() if line.strip())


def to_text(event: Event) -> str:
    """Says in one line what happened."""
    match event:
        case StepStarted(step=step):
            text = f"{step} ..."
        case StepFinished(step=step, seconds=seconds, evidence=evidence):
            text = f"{step}: done in {seconds:.1f} s" + (f": {evidence}" if evidence else "")
        case StepFailed(step=step, seconds=seconds, reason=reason):
            text = f"{step}: FAILED after {seconds:.1f} s" + (f": {reason}" if reason else "")
        case ServiceChanged(service=service, state=state, detail=detail):
            text = f"{service}: {state}" + (f" ({detail})" if detail else "")
        case Note(text=note, level=level):
            text = note if level == "info" else f"{level}: {note}"
        case _:
            fields = (f"{name}={value}" for name, value in asdict(event).items() if name != "at")
            text = " ".join((f"{event_name(event)}:", *fields))
    return one_line(text)


class PlainListener:
    """Writes each event to a stream at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._first: float | None = None

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        if isinstance(event, PlannedStepStarted | PlannedStepFinished):
            return  # what the services do says more
        with self._lock:
            if self._first is None:
                self._first = event.at
            if isinstance(event, PlanMade):
                self._stream.write(plan_text(event) + "\n")
                self._stream.flush()
                return
            # Events of other threads may be a moment older than the one that came first.
            self._stream.write(f"{max(0.0, event.at - self._first):7.1f}  {to_text(event)}\n")
            self._stream.flush()
