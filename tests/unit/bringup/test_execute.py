"""Carrying a plan out, with an engine that keeps a diary: exactly the plan, in its order, with its events."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from docker.errors import APIError, NotFound

from labctl.bringup import execute
from labctl.bringup.execute import StepEvents, runs_already, start_services, take_away
from labctl.bringup.plan import Action, Plan, Step, plan_bring_up
from labctl.engine.compose import Said, understand
from labctl.errors import BringUpFailed, EngineRefused
from labctl.events import Event, PlannedStepFinished, PlannedStepStarted
from labctl.lab.state import LabState
from tests.unit.bringup.made_up_engine import as_wanted, called, changed, wanted, without

LAB = wanted()
UP = as_wanted(LAB)


class Answer:
    """What the engine answers with a refusal."""

    def __init__(self, status: int) -> None:
        self.status_code = status
        self.reason = "because"
        self.url = "http://engine"


class FakeEngine:
    """An engine that writes down what it is asked to do, and refuses what it is told to."""

    def __init__(self, **refuses: APIError) -> None:
        self.diary: list[str] = []
        self._refuses = refuses
        self._lock = threading.Lock()

    @property
    def api(self) -> "FakeEngine":
        return self

    def __getattr__(self, name: str) -> Callable[..., None]:
        def do(target: str, **_: object) -> None:
            with self._lock:
                self.diary.append(f"{name} {target}")
            if name in self._refuses:
                raise self._refuses[name]

        return do


def refusal(status: int, text: str) -> APIError:
    kind = NotFound if status == 404 else APIError
    return kind("refused", response=cast(Any, Answer(status)), explanation=text)


def told(events: list[Event]) -> list[str]:
    """The beginning and end of steps."""
    marks = {PlannedStepStarted: "<", PlannedStepFinished: ">"}
    return [
        f"{marks[type(one)]} {one.id}" for one in events if isinstance(one, PlannedStepStarted | PlannedStepFinished)
    ]


def away(engine: FakeEngine, *steps: Step) -> list[str]:
    events: list[Event] = []
    take_away(cast(Any, engine), Plan(steps), StepEvents(events.append))
    return told(events)


RECREATE = Step(Action.RECREATE, "glance", "", "g")
RESTART = Step(Action.RESTART, "nova-api", "", "n")
REMOVE = Step(Action.REMOVE, "old", "", "o")


def test_all_are_stopped_before_any_is_removed_and_what_restarts_is_kept() -> None:
    engine = FakeEngine()
    events = away(engine, REMOVE, RECREATE, RESTART)
    assert set(engine.diary[:3]) == {"stop g", "stop n", "stop o"}
    assert set(engine.diary[3:]) == {"remove_container g", "remove_container o"}
    assert sorted(events) == ["< recreate:glance", "< remove:old", "< restart:nova-api", "> remove:old"]


def test_networks_and_volumes_go_after_the_containers_that_use_them() -> None:
    engine = FakeEngine()
    network, volume = Step(Action.REMOVE_NETWORK, "mgmt", "", "m"), Step(Action.REMOVE_VOLUME, "data", "", "d")
    away(engine, network, volume, RECREATE, Step(Action.RESUME, "placement", "", "p"))
    assert engine.diary == ["stop g", "remove_container g", "remove_network m", "remove_volume d", "unpause p"]


def test_what_only_starts_is_not_stopped() -> None:
    engine = FakeEngine()
    assert away(engine, Step(Action.START, "glance", ""), Step(Action.CREATE, "nova-api", "")) == []
    assert engine.diary == []


def test_a_container_that_somebody_else_removed_meanwhile_is_gone() -> None:
    gone = refusal(404, "no such container")
    engine = FakeEngine(stop=gone, remove_container=gone)
    assert away(engine, REMOVE) == ["< remove:old", "> remove:old"]


def test_a_container_that_the_engine_removes_already_is_waited_for() -> None:
    engine = FakeEngine(remove_container=refusal(409, "removal is already in progress"))
    assert away(engine, REMOVE) == ["< remove:old", "> remove:old"]
    assert engine.diary[-1] == "wait o"


def test_a_refusal_is_an_error_for_people_and_the_step_does_not_end() -> None:
    engine = FakeEngine(remove_network=refusal(403, "network has active endpoints"))
    events: list[Event] = []
    step = Step(Action.REMOVE_NETWORK, "mgmt", "", "m")
    with pytest.raises(EngineRefused, match="refused to remove network mgmt") as caught:
        take_away(cast(Any, engine), Plan((step,)), StepEvents(events.append))
    assert caught.value.evidence == ("network has active endpoints",)
    assert told(events) == ["< remove-network:mgmt"]


def test_a_full_disk_is_an_error_for_people() -> None:
    events: list[Event] = []
    with (
        pytest.raises(BringUpFailed, match="not possible to write files"),
        StepEvents(events.append).doing(Step(Action.WRITE, "files", "")),
    ):
        raise OSError(28, "No space left on device")
    assert told(events) == ["< write:files"]


class FakeWatch:
    """A watch of a lab in which nothing is wrong, but for a service that will not come up."""

    lab = "fixed"

    def __init__(self, bad: str = "") -> None:
        self.bad = bad

    def stuck(self) -> str | None:
        return self.bad or None

    def look(self) -> None:
        pass

    def worst(self) -> None:
        return None


def start(
    monkeypatch: pytest.MonkeyPatch, plan: Plan, lines: list[str], exit_code: int = 0
) -> tuple[list[str], list[str]]:
    """What Compose was asked to start, and the events."""
    asked: list[str] = []
    events: list[Event] = []

    def compose(
        project: str, file: Path, services: list[str], on_line: Callable[[str], None], is_over: Callable[[], bool]
    ) -> int:
        assert not is_over()
        assert (project, file.name) == ("labctl-fixed", "compose.yaml")
        asked.extend(services)
        for line in lines:
            on_line(line)
        return exit_code

    monkeypatch.setattr(execute.compose, "start", compose)
    state, watch, steps = LabState("fixed"), cast(Any, FakeWatch()), StepEvents(events.append)
    start_services(cast(Any, None), state, plan, LAB, watch, time.monotonic() + 60, steps)
    return asked, told(events)


def test_compose_gets_what_starts_and_what_that_may_wait_for_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = changed(UP, called("mariadb"), health="starting")
    seen = changed(seen, called("glance"), status="exited", exit_code=137)
    plan = plan_bring_up(LAB, without(seen, called("keystone")))
    asked, _ = start(monkeypatch, plan, [])
    assert asked == ["keystone", "glance", "mariadb"]


def test_what_runs_already_is_waited_for_first() -> None:
    seen = changed(UP, called("mariadb"), health="starting")
    plan = plan_bring_up(LAB, without(seen, called("keystone")))
    assert runs_already(plan, LAB) == {"mariadb"}


def test_what_runs_already_and_needs_what_the_plan_starts_is_not_waited_for() -> None:
    seen = changed(UP, called("keystone"), health="starting")
    seen = changed(seen, called("mariadb"), status="exited", exit_code=137)
    plan = plan_bring_up(LAB, seen)
    assert plan.awaited == ("keystone",)
    assert runs_already(plan, LAB) == frozenset()


@pytest.mark.parametrize(("bad", "seconds"), [("rabbitmq", 60.0), ("", -1.0)])
def test_compose_is_told_when_there_is_nothing_more_to_wait_for(
    monkeypatch: pytest.MonkeyPatch, bad: str, seconds: float
) -> None:
    asked: list[bool] = []

    def compose(*_: object, is_over: Callable[[], bool]) -> int:
        asked.append(is_over())
        return -15

    monkeypatch.setattr(execute.compose, "start", compose)
    watch, plan, steps = (
        cast(Any, FakeWatch(bad)),
        Plan((Step(Action.CREATE, "glance", ""),)),
        StepEvents(lambda _: None),
    )
    with pytest.raises(BringUpFailed, match="did not become ready"):
        start_services(cast(Any, None), LabState("fixed"), plan, LAB, watch, time.monotonic() + seconds, steps)
    assert asked == [True]


def test_compose_is_not_asked_where_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert start(monkeypatch, Plan((REMOVE,), awaited=("glance",)), []) == ([], [])


def test_steps_begin_and_end_with_what_compose_says(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(
        (
            Step(Action.CREATE_NETWORK, "mgmt", ""),
            Step(Action.CREATE_VOLUME, "glance", ""),
            Step(Action.CREATE, "glance", ""),
            Step(Action.START, "placement", ""),
            Step(Action.CREATE, "keystone", ""),
        )
    )
    lines = [
        " Network labctl-fixed_mgmt  Creating",
        " Network labctl-fixed_mgmt  Created",
        ' Volume "labctl-fixed_glance"  Creating',
        ' Volume "labctl-fixed_glance"  Created',
        " Container fixed-glance  Creating",
        " Container fixed-mariadb  Waiting",
        " Container fixed-glance  Created",
        " Container fixed-placement  Starting",
        " Container fixed-glance  Starting",
        " Container fixed-placement  Started",
        " Container fixed-glance  Started",
    ]
    _, events = start(monkeypatch, plan, lines)
    assert events == [
        "< create-network:mgmt",
        "> create-network:mgmt",
        "< create-volume:glance",
        "> create-volume:glance",
        "< create:glance",
        "< start:placement",
        "> start:placement",
        "> create:glance",
        "< create:keystone",  # of which Compose said nothing, and it ended well
        "> create:keystone",
    ]


def test_where_compose_fails_its_last_words_are_the_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan((Step(Action.CREATE, "glance", ""),))
    lines = [" Container fixed-glance  Creating", "Error response from daemon: no space left on device"]
    with pytest.raises(BringUpFailed) as caught:
        start(monkeypatch, plan, lines, exit_code=1)
    assert lines[1] in caught.value.evidence


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (" Network labctl-lab_mgmt  Creating", Said("Network", "labctl-lab_mgmt", "Creating")),
        (' Volume "labctl-lab_glance"  Created', Said("Volume", "labctl-lab_glance", "Created")),
        (" Container lab-node1-nova-compute  Started", Said("Container", "lab-node1-nova-compute", "Started")),
        ("time=... level=warning msg=...", None),
        ("", None),
    ],
)
def test_lines_of_compose(line: str, said: Said | None) -> None:
    assert understand(line) == said
