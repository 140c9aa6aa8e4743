"""Carries a plan out: takes away what is in the way, has Compose make and start what is missing, and nothing else."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from http import HTTPStatus

import docker
from docker.errors import APIError
from docker.errors import NotFound as NotThere

from labctl.bringup.plan import STARTS, Action, Plan, Step
from labctl.bringup.ready import failure
from labctl.bringup.wanted import Wanted
from labctl.bringup.watch import Watch
from labctl.engine import compose
from labctl.engine.refusal import refusal
from labctl.errors import BringUpFailed
from labctl.events import Emit, PlannedStepFinished, PlannedStepStarted
from labctl.events import step as larger_step
from labctl.lab.state import LabState

STOPPED = (Action.REMOVE, Action.REMOVE_LEFTOVER, Action.RECREATE, Action.RUN_AGAIN, Action.RESTART)
MADE_BY_COMPOSE = (*STARTS, Action.CREATE_NETWORK, Action.CREATE_VOLUME)
AT_ONCE = 24
"""Requests to the engine at the same time."""


class StepEvents:
    """Tells when each step of a plan begins and ends, once."""

    def __init__(self, emit: Emit) -> None:
        self.emit = emit
        self._begun: dict[str, float] = {}
        self._ended: set[str] = set()

    def begin(self, step: Step) -> None:
        """A step begins, unless it has."""
        if step.id not in self._begun:
            self._begun[step.id] = time.monotonic()
            self.emit(PlannedStepStarted(step.id))

    def end(self, step: Step) -> None:
        """A step has ended."""
        self.begin(step)
        if step.id not in self._ended:
            self._ended.add(step.id)
            self.emit(PlannedStepFinished(step.id, time.monotonic() - self._begun[step.id]))

    @contextmanager
    def doing(self, step: Step) -> Iterator[None]:
        """Tells the begin, and the end where the body comes to it.

        Raises:
            EngineRefused: The engine refused what the body asked for.
            BringUpFailed: The machine did.
        """
        self.begin(step)
        with refusals(step):
            yield
        self.end(step)


@contextmanager
def refusals(step: Step) -> Iterator[None]:
    """Turns refusals of the engine, and of the disk, into errors for people.

    Raises:
        EngineRefused: The engine refused.
        BringUpFailed: The disk did, or its permissions.
    """
    try:
        yield
    except APIError as error:
        raise refusal(f"The engine refused to {step.what}.", error) from error
    except OSError as error:
        raise BringUpFailed(
            f"It was not possible to {step.what}.",
            evidence=[str(error)],
            remedy="Make room or permissions; `labctl up` goes on from here.",
        ) from error


def take_away(client: docker.DockerClient, plan: Plan, steps: StepEvents) -> None:
    """Stops and removes what the plan makes anew or has no use for.

    All are stopped before any is removed: whatever starts anew because of another one is seen to have ended, should
    this be the end of labctl. And at once, since some take all the time that they are given.

    Raises:
        EngineRefused: The engine refused.
    """
    stopped = plan.of(*STOPPED)

    def stop(step: Step) -> None:
        steps.begin(step)
        with refusals(step):
            stop_container(client, step.target)

    def remove(step: Step) -> None:
        with refusals(step):
            remove_container(client, step.target)
        if step.action not in STARTS:
            steps.end(step)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(stop, stopped))
        list(pool.map(remove, (step for step in stopped if step.action is not Action.RESTART)))
    others: dict[Action, Callable[[str], object]] = {
        Action.REMOVE_NETWORK: client.api.remove_network,
        Action.REMOVE_VOLUME: client.api.remove_volume,
        Action.RESUME: client.api.unpause,
    }
    for step in plan.of(*others):
        with steps.doing(step):
            others[step.action](step.target)


def stop_container(client: docker.DockerClient, container: str) -> None:
    """Stops a container, with the time that it was made with; one that is gone is stopped."""
    with suppress(NotThere):
        client.api.stop(container)


def remove_container(client: docker.DockerClient, container: str) -> None:
    """Removes a container; returns when it is gone, also where the engine had begun with it."""
    with suppress(NotThere):
        try:
            client.api.remove_container(container, v=True, force=True)
        except APIError as error:
            if error.status_code != HTTPStatus.CONFLICT:
                raise
            client.api.wait(container, condition="removed")


def runs_already(plan: Plan, wanted: Wanted) -> frozenset[str]:
    """The services that run and are not ready yet, and need nothing that the plan starts to become so."""
    needs = {one.name: one.waits_for | ({one.owner} if one.owner else frozenset()) for one in wanted.services}
    touched = {step.subject for step in plan.of(*STARTS)}
    while more := {name for name, its in needs.items() if name not in touched and its & touched}:
        touched |= more
    return frozenset(plan.awaited) - touched


def start_services(
    client: docker.DockerClient,
    state: LabState,
    plan: Plan,
    wanted: Wanted,
    watch: Watch,
    deadline: float,
    steps: StepEvents,
) -> None:
    """Has Compose make and start what the plan says.

    Raises:
        BringUpFailed: A service that others wait for failed, or will not come up, or the wait ran out.
    """
    ours = plan.of(*MADE_BY_COMPOSE)
    services = [step.subject for step in ours if step.action in STARTS]
    if not services:
        return
    told = teller(wanted, ours, steps)
    said: list[str] = []

    def hear(line: str) -> None:
        said.append(line)
        told(line)

    def is_over() -> bool:
        return watch.stuck() is not None or time.monotonic() > deadline

    with larger_step(steps.emit, "start services"):
        exit_code = compose.start(state.project, state.compose_file, [*services, *plan.awaited], hear, is_over=is_over)
        watch.look()
        if exit_code:
            raise failure(client, watch, said[-5:])
    for step in ours:
        steps.end(step)


def teller(wanted: Wanted, ours: Iterable[Step], steps: StepEvents) -> Callable[[str], None]:
    """Makes the function that tells from Compose's lines which step begins and which has ended."""
    by_subject = {(kind_of(step), step.subject): step for step in ours}
    subjects = {
        **{("Container", service.container): service.name for service in wanted.services},
        **{("Network", network.name): network.key for network in wanted.networks},
        **{("Volume", volume.name): volume.key for volume in wanted.volumes},
    }

    def hear(line: str) -> None:
        said = compose.understand(line)
        step = by_subject.get((said.kind, subjects.get((said.kind, said.name), ""))) if said else None
        if said and step:
            if said.state in ("Creating", "Starting"):
                steps.begin(step)
            if said.state == ("Started" if said.kind == "Container" else "Created"):
                steps.end(step)

    return hear


def kind_of(step: Step) -> str:
    """What Compose calls the kind of a step's subject."""
    return {Action.CREATE_NETWORK: "Network", Action.CREATE_VOLUME: "Volume"}.get(step.action, "Container")
