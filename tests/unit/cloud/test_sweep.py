"""What a test run left: what is told apart, and that it is removed whatever holds what."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import openstack.exceptions
import pytest

from labctl.cloud import sweep as module
from labctl.cloud.sweep import KINDS, Kind, Thing, left_over, sweep
from labctl.events import Event, StepFinished

SERVER = next(kind for kind in KINDS if kind.title == "server")


def thing(identifier: str, name: str = "", project: str = "") -> Thing:
    return Thing(SERVER, identifier, name, project, None)


@pytest.mark.parametrize(
    ("one", "is_left"),
    [
        (thing("new", "verify-abc-server"), True),
        (thing("new", "tempest-ServersTest-123-network", project="other"), True),
        (thing("new", "instance", project="gone"), True),
        (thing("new", project="gone"), True),
        (thing("new", "mine", project="demo"), False),
        (thing("new", "mine"), False),
        (thing("old", "verify-abc-server"), False),
        (thing("old", "orphan", project="gone"), False),
    ],
)
def test_only_what_is_new_and_the_runs_is_left_over(one: Thing, is_left: bool) -> None:
    found = left_over({("server", one.id): one}, [("server", "old")], ("verify-abc", "tempest-"), ["demo"])
    assert (one in found) is is_left


@dataclass
class One:
    """Something in a cloud; it cannot go while what holds it is there."""

    id: str
    name: str
    project_id: str | None = None
    held_by: str = ""


@dataclass
class Cloud:
    things: dict[str, One] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    stuck: str = ""

    def of(self, title: str) -> Iterable[One]:
        return [one for key, one in self.things.items() if key.startswith(title)]

    def delete(self, one: One) -> None:
        if one.id == self.stuck or any(other.id == one.held_by for other in self.things.values()):
            raise openstack.exceptions.ConflictException("in use")
        self.removed.append(one.id)
        self.things = {key: other for key, other in self.things.items() if other is not one}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    made = Cloud(
        {
            "network 1": One("network", "verify-abc-net", "p1", held_by="router"),
            "router 1": One("router", "verify-abc-router", "p1"),
            "project 1": One("p1", "verify-abc-project"),
            "project 2": One("p2", "demo"),
            "router 2": One("mine", "mine", "p2"),
        }
    )

    def kind(title: str) -> Kind:
        return Kind(title, "any", lambda cloud: cloud.of(title), lambda cloud, one: cloud.delete(one))

    # In an order that does not fit: what holds another thing comes after it.
    monkeypatch.setattr(module, "KINDS", tuple(map(kind, ("network", "router", "project"))))
    return made


def run(cloud: Any) -> tuple[tuple[str, ...], list[Event]]:
    events: list[Event] = []
    return sweep(cloud, ["any"], [("router", "old")], ("verify-abc",), events.append), events


def test_all_that_is_the_runs_goes_and_nothing_else(cloud: Cloud) -> None:
    left, events = run(cloud)
    assert left == ()
    assert cloud.removed == ["router", "p1", "network"]
    assert sorted(one.id for one in cloud.things.values()) == ["mine", "p2"]
    assert isinstance(events[-1], StepFinished)
    assert events[-1].evidence.startswith("3: network verify-abc-net")


def test_what_cannot_go_is_named_with_the_reason(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GONE_SECONDS", 0.0)
    cloud.stuck = "router"
    left, _ = run(cloud)
    assert len(left) == 2
    assert any(one.startswith("router verify-abc-router: ") and "in use" in one for one in left)


def test_kinds_of_services_that_are_not_there_are_not_asked_for(cloud: Cloud) -> None:
    assert sweep(cloud, ["other"], [], ("verify-abc",), lambda event: None) == ()  # type: ignore[arg-type]
    assert cloud.removed == []
