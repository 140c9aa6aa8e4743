"""What happens, as values. The engine, the build, the bring-up and the demo emit; `labctl.ui` shows."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Attributes:
        at: Seconds since the epoch.
    """

    at: float = field(default_factory=time.time, kw_only=True)


@dataclass(frozen=True)
class StepStarted(Event):
    """A step of a longer work began."""

    step: str


@dataclass(frozen=True)
class StepFinished(Event):
    """A step ended well.

    Attributes:
        step: The name that `StepStarted` gave.
        seconds: How long it took.
        evidence: What shows that it worked, in one line.
    """

    step: str
    seconds: float
    evidence: str = ""


@dataclass(frozen=True)
class StepFailed(Event):
    """A step ended badly; an error with the details follows."""

    step: str
    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class ServiceChanged(Event):
    """A service of a lab, or an image of a build, has another state.

    Attributes:
        service: Its name.
        state: One of waiting, created, starting, running, healthy, unhealthy, done, failed, or a build's state.
        detail: More in a few words.
    """

    service: str
    state: str
    detail: str = ""


@dataclass(frozen=True)
class Note(Event):
    """Something a person should know.

    Attributes:
        text: The message.
        level: info or warning.
    """

    text: str
    level: str = "info"


Emit = Callable[[Event], None]
"""Takes an event; what it does with it is the listener's business."""


class StepEvidence:
    """What the body of a step found; set `text` inside `step`."""

    def __init__(self) -> None:
        self.text = ""


@contextmanager
def step(emit: Emit, name: str) -> Iterator[StepEvidence]:
    """Emits the start and the end of a step with its time and evidence.

    Args:
        emit: The listener.
        name: What is being done, for people.

    Yields:
        An object whose `text` becomes the evidence.
    """
    evidence = StepEvidence()
    emit(StepStarted(name))
    begin = time.monotonic()
    try:
        yield evidence
    except BaseException as error:
        emit(StepFailed(name, time.monotonic() - begin, str(error) or type(error).__name__))
        raise
    emit(StepFinished(name, time.monotonic() - begin, evidence.text))
