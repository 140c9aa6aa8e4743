"""Watches a lab's containers while Compose works: what changed, how long each took, and what went wrong."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import docker

from labctl.engine.containers import ServiceState, restart_count, service_states
from labctl.events import Emit, ServiceChanged

INTERVAL = 0.5
"""Seconds between two looks; one look is one request to the engine."""

TOO_MANY_DEATHS = 4
"""A service that dies so often during a bring-up will not come up by itself."""


WORSE = ("running", "created", "starting", "paused", "removing", "restarting", "dead", "failed", "unhealthy")
"""States of services that are not ready, the worst last."""


@dataclass
class Observed:
    """When one service was first seen at work, and when it was ready; seconds since the epoch."""

    started: float
    ready: float | None = None


@dataclass
class Watch:
    """Looks at the containers of a lab until it is told to end.

    Attributes:
        jobs: Services that are ready when they have ended, and not while they run.
        states: What was seen last.
        observed: Service to times, of the services that were not ready at the first look.
    """

    client: docker.DockerClient
    lab: str
    emit: Emit
    jobs: frozenset[str] = frozenset()
    states: Mapping[str, ServiceState] = field(default_factory=dict)
    observed: dict[str, Observed] = field(default_factory=dict)
    deaths: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._end = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"watch {self.lab}", daemon=True)
        self._first = True
        # Container to how often it had been restarted when it was first seen so.
        self._restarts: dict[str, int] = {}
        # Containers that ran at the first look, and ever since.
        self._from_before: set[str] = set()

    def __enter__(self) -> "Watch":
        self.look()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def look(self) -> None:
        """Looks once, and tells what changed."""
        with self._lock:
            now = time.time()
            before, self.states = self.states, service_states(self.client, self.lab)
            for name, state in self.states.items():
                self._note(now, before.get(name), state)
                if state.status == "restarting":
                    self._count_unseen(state)
            self._first = False

    def _count_unseen(self, state: ServiceState) -> None:
        """Counts the deaths between two looks: one that dies as it starts is restarting at each."""
        count = restart_count(self.client, state.container)
        first = self._restarts.setdefault(state.container, count)
        self.deaths[state.service] = max(self.deaths[state.service], count - first)

    def _note(self, now: float, before: ServiceState | None, state: ServiceState) -> None:
        if before and before.container != state.container:
            # Made anew: what became of the one before is no part of how long this one takes.
            self.observed.pop(state.service, None)
            self.deaths.pop(state.service, None)
        if before and before.summary == state.summary and before.container == state.container:
            return
        if state.status == "running" and self._first:
            self._from_before.add(state.container)
        elif state.status != "running":
            self._from_before.discard(state.container)
        # A container that was paused is unhealthy until its next health check.
        was_paused = before is not None and before.status == "paused"
        if state.summary in ("failed", "restarting", "unhealthy") and not was_paused:
            self.deaths[state.service] += 1
        if not self._first:
            self.emit(ServiceChanged(state.service, state.summary, state.since))
        if state.status == "created":
            return
        if not (self._first and self._is_ready(state)):
            seen = self.observed.setdefault(state.service, Observed(now))
            seen.ready = now if self._is_ready(state) else None

    def _run(self) -> None:
        while not self._end.wait(INTERVAL):
            self.look()

    def stuck(self) -> ServiceState | None:
        """A service that will not come up by itself, if there is one.

        One that ran before anybody watched may be unhealthy for want of what starts only now, until its next health
        check: it has all the time that there is.
        """
        for name, count in self.deaths.items():
            state = self.states.get(name)
            if not state or self._is_ready(state):
                continue
            failed_its_check = state.summary == "unhealthy" and state.container not in self._from_before
            if count >= TOO_MANY_DEATHS or failed_its_check:
                return state
        return None

    def worst(self) -> ServiceState | None:
        """The service to look at first: of those that are not ready the one that died most often, or is worst off."""
        waiting = [state for state in self.states.values() if not self._is_ready(state)]
        return max(waiting, key=lambda state: (self.deaths[state.service], WORSE.index(state.summary)), default=None)

    def waiting_for(self, among: Collection[str] | None = None) -> tuple[str, ...]:
        """The services that are not ready, with their states: of all, or of those that are named."""
        return tuple(
            f"{name}: {state.summary}"
            for name, state in self.states.items()
            if not self._is_ready(state) and (among is None or name in among)
        )

    def _is_ready(self, state: ServiceState) -> bool:
        return state.summary == "done" if state.service in self.jobs else state.is_ready


def wait(condition: Callable[[], bool], timeout: float, poll: float = INTERVAL) -> bool:
    """Waits until something is so.

    Returns:
        Whether it came true in time.
    """
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(poll)
    return True
