"""Watching a lab come up, with states made by hand: what is told, what counts as a death, what is stuck."""

from collections.abc import Iterable
from typing import Any, cast

import pytest

from labctl.bringup.watch import TOO_MANY_DEATHS, Watch, wait
from labctl.events import Event, ServiceChanged

Entry = dict[str, object]

# The words of the engine's list of containers (Docker Engine API, ContainerList).
WORDS = {
    "created": ("created", "Created"),
    "starting": ("running", "Up 2 seconds (health: starting)"),
    "healthy": ("running", "Up 9 seconds (healthy)"),
    "unhealthy": ("running", "Up 3 minutes (unhealthy)"),
    "paused": ("paused", "Up 3 minutes (Paused)"),
    "running": ("running", "Up 2 seconds"),
    "restarting": ("restarting", "Restarting (1) 1 second ago"),
    "failed": ("exited", "Exited (3) 2 seconds ago"),
    "done": ("exited", "Exited (0) 2 seconds ago"),
}


def container(service: str, summary: str, id: str = "") -> Entry:
    state, words = WORDS[summary]
    labels = {"org.labctl.lab": "lab", "com.docker.compose.project": "labctl-lab", "org.labctl.service": service}
    return {"Id": id or f"id-of-{service}", "State": state, "Status": words, "Labels": labels, "ImageID": "image"}


class FakeEngine:
    """An engine whose containers are what was said last."""

    def __init__(self) -> None:
        self.now: list[Entry] = []
        self.restarts = 0

    @property
    def api(self) -> "FakeEngine":
        return self

    def inspect_container(self, container: str) -> dict[str, int]:
        return {"RestartCount": self.restarts}

    def inspect_image(self, image: str) -> dict[str, dict[str, str]]:
        return {"Config": {}}

    def containers(self, *, all: bool, filters: dict[str, list[str]]) -> list[Entry]:
        assert all, "containers that have ended count too"
        assert filters == {"label": ["org.labctl.lab=lab", "org.labctl.service"]}
        return self.now


class Story:
    """A `Watch` that looks once at each of the scenes."""

    def __init__(self, *scenes: Iterable[Entry]) -> None:
        self.events: list[Event] = []
        self.engine = FakeEngine()
        self.watch = Watch(cast(Any, self.engine), "lab", self.events.append)
        for scene in scenes:
            self.look(scene)

    def look(self, scene: Iterable[Entry]) -> None:
        self.engine.now = list(scene)
        self.watch.look()

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(each.service, each.state) for each in self.events if isinstance(each, ServiceChanged)]

    @property
    def stuck(self) -> str | None:
        found = self.watch.stuck()
        return found.service if found else None


def test_what_is_there_at_the_first_look_is_not_told_and_changes_are() -> None:
    story = Story(
        [container("mariadb", "healthy"), container("nova-api", "created")],
        [container("mariadb", "healthy"), container("nova-api", "starting")],
        [container("mariadb", "healthy"), container("nova-api", "healthy"), container("glance", "created")],
    )
    assert story.told == [("nova-api", "starting"), ("glance", "created"), ("nova-api", "healthy")]


def test_the_same_state_is_told_once() -> None:
    scene = [container("mariadb", "starting")]
    assert Story([], scene, scene, scene).told == [("mariadb", "starting")]


def test_a_container_that_was_made_anew_is_told_though_its_state_is_the_same() -> None:
    story = Story([], [container("glance", "healthy", "old")], [container("glance", "healthy", "new")])
    assert story.told == [("glance", "healthy")] * 2


def test_a_service_is_observed_from_its_start_until_it_is_ready() -> None:
    story = Story([], [container("glance", "created")])
    assert "glance" not in story.watch.observed, "a container that only exists does no work yet"
    story.look([container("glance", "starting")])
    assert story.watch.observed["glance"].ready is None
    story.look([container("glance", "healthy")])
    seen = story.watch.observed["glance"]
    assert seen.ready is not None
    assert seen.started <= seen.ready


def test_a_container_that_was_made_anew_is_observed_from_its_own_start() -> None:
    story = Story([container("glance", "healthy", "old")], [container("glance", "failed", "old")])
    begin = story.watch.observed["glance"].started
    story.look([container("glance", "starting", "new")])
    assert story.watch.observed["glance"].started > begin
    assert story.watch.deaths["glance"] == 0


def test_services_that_were_ready_before_are_not_part_of_the_timeline() -> None:
    story = Story([container("mariadb", "healthy"), container("identity", "done")], [container("mariadb", "healthy")])
    assert story.watch.observed == {}


def test_a_service_that_is_not_ready_any_more_is_observed_as_not_ready() -> None:
    story = Story([], [container("glance", "healthy")], [container("glance", "restarting")])
    assert story.watch.observed["glance"].ready is None


def test_what_is_waited_for_is_named_with_its_state() -> None:
    states = ("healthy", "starting", "done", "running", "failed", "created")
    story = Story([container(f"service-{state}", state) for state in states])
    assert sorted(story.watch.waiting_for()) == [
        "service-created: created",
        "service-failed: failed",
        "service-starting: starting",
    ]


def test_a_service_that_dies_again_and_again_is_stuck_but_not_after_the_first_deaths() -> None:
    story = Story([])
    for death in range(1, TOO_MANY_DEATHS + 1):
        story.look([container("nova-api", "starting")])
        story.look([container("nova-api", "restarting")])
        assert story.stuck == ("nova-api" if death >= TOO_MANY_DEATHS else None), f"death {death}"


def test_one_death_that_is_seen_often_is_one_death() -> None:
    story = Story([])
    for _ in range(TOO_MANY_DEATHS * 3):
        story.look([container("nova-api", "restarting")])
    assert story.watch.deaths["nova-api"] == 1
    assert story.stuck is None


def test_deaths_that_no_look_sees_count_from_the_first_look_on() -> None:
    story = Story([])
    for restarts in range(50, 50 + TOO_MANY_DEATHS + 1):
        assert story.stuck is None
        story.engine.restarts = restarts
        story.look([container("nova-api", "restarting")])
    assert story.stuck == "nova-api"


def test_deaths_of_different_services_do_not_add_up() -> None:
    story = Story([])
    for number in range(TOO_MANY_DEATHS):
        story.look([container(f"service{number}", "failed")])
    assert story.stuck is None


def test_a_service_that_came_up_after_all_is_not_stuck() -> None:
    story = Story([])
    for _ in range(TOO_MANY_DEATHS):
        story.look([container("identity", "failed")])
        story.look([container("identity", "running")])
    story.look([container("identity", "done")])
    assert story.stuck is None


def test_what_ran_before_may_be_unhealthy_until_what_it_needs_is_there() -> None:
    agent = "net-dhcp-agent"
    story = Story([container(agent, "starting")], [container(agent, "unhealthy")])
    assert story.stuck is None
    story.look([container(agent, "healthy")])
    assert story.watch.waiting_for() == ()


def test_what_ran_before_and_was_started_anew_is_stuck_when_it_is_unhealthy() -> None:
    scenes = [[container("glance", summary)] for summary in ("healthy", "failed", "starting", "unhealthy")]
    assert Story(*scenes).stuck == "glance"


def test_a_service_that_is_unhealthy_is_stuck_at_once_and_free_when_it_recovers() -> None:
    story = Story([], [container("glance", "starting")], [container("glance", "unhealthy")])
    assert story.stuck == "glance"
    story.look([container("glance", "healthy")])
    assert story.stuck is None


def test_a_service_that_was_paused_has_time_until_its_next_health_check() -> None:
    story = Story([container("glance", "paused")], [container("glance", "unhealthy")])
    assert story.stuck is None
    assert story.watch.waiting_for() == ("glance: unhealthy",)
    story.look([container("glance", "healthy")])
    assert story.watch.waiting_for() == ()


def test_a_job_is_ready_when_it_has_ended_and_not_while_it_runs() -> None:
    story = Story([container("identity", "running")])
    assert story.watch.waiting_for() == ()
    story.watch.jobs = frozenset({"identity"})
    assert story.watch.waiting_for() == ("identity: running",)
    worst = story.watch.worst()
    assert worst is not None
    assert worst.service == "identity"
    story.look([container("identity", "done")])
    assert story.watch.waiting_for() == ()


def test_a_service_that_is_gone_is_not_stuck() -> None:
    story = Story([], [container("glance", "unhealthy")], [])
    assert story.stuck is None
    assert story.watch.waiting_for() == ()


def test_the_worst_service_is_the_one_that_dies_then_the_one_furthest_from_ready() -> None:
    story = Story([], [container("a", "created"), container("b", "starting"), container("c", "healthy")])
    worst = story.watch.worst()
    assert worst is not None
    assert worst.service == "b"
    story.look([container("a", "failed"), container("b", "starting"), container("c", "healthy")])
    worst = story.watch.worst()
    assert worst is not None
    assert worst.service == "a"


def test_there_is_no_worst_service_where_all_are_ready() -> None:
    assert Story([container("c", "healthy")]).watch.worst() is None


@pytest.mark.parametrize("words", ["created", "restarting", "dead", "paused", "removing", "exited"])
def test_every_state_that_the_engine_knows_can_be_compared(words: str) -> None:
    entry = {**container("a", "created"), "State": words, "Status": "Exited (1) now" if words == "exited" else words}
    worst = Story([entry]).watch.worst()
    assert worst is not None
    assert worst.service == "a"


def test_a_watch_ends_with_its_body() -> None:
    story = Story()
    with story.watch as watch:
        thread = watch._thread
        assert thread.is_alive()
    assert not thread.is_alive()


def test_waiting_ends_as_soon_as_it_is_so() -> None:
    answers = iter([False, False, True])
    assert wait(lambda: next(answers), timeout=10, poll=0.001)
    assert next(answers, None) is None


def test_waiting_ends_with_the_time_and_looks_at_least_once() -> None:
    looks: list[None] = []
    assert not wait(lambda: bool(looks.append(None)), timeout=0.0, poll=0.001)
    assert looks
