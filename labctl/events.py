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


@dataclass(frozen=True)
class PlannedStep:
    """A step that is going to be done.

    Attributes:
        id: Its name, such as recreate:glance; the same in every plan that has it.
        what: What is done, in words.
        why: Why.
    """

    id: str
    what: str
    why: str


@dataclass(frozen=True)
class FileDifference:
    """How a file is going to change.

    Attributes:
        path: The file, as it is called in the lab's folder.
        lines: A unified diff with secrets masked, or one line that says what there is to say.
    """

    path: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class PlanMade(Event):
    """It is decided what is going to be done.

    Attributes:
        steps: The steps, in order.
        differences: The files that change; none where a lab is new.
        is_first: Whether nothing is there yet: all of it is made.
    """

    steps: tuple[PlannedStep, ...]
    differences: tuple[FileDifference, ...] = ()
    is_first: bool = False


@dataclass(frozen=True)
class PlannedStepStarted(Event):
    """A step of the plan began; its name is `PlannedStep.id`."""

    id: str


@dataclass(frozen=True)
class PlannedStepFinished(Event):
    """A step of the plan ended well."""

    id: str
    seconds: float


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
