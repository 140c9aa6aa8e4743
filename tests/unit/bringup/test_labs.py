"""What `labctl list` calls labs."""

from pathlib import Path

import pytest

from labctl.bringup.labs import Condition, condition, look_at
from labctl.engine.containers import ServiceState
from labctl.engine.remains import Remains
from labctl.errors import BadInput
from labctl.lab.file import LabFile, dump_lab_file
from labctl.lab.state import LabState

CONTAINERS, VOLUMES = ("a", "b"), ("v",)


@pytest.mark.parametrize(
    ("folder", "there", "ready", "called"),
    [
        (True, Remains(CONTAINERS, running=2), True, Condition.READY),
        (True, Remains(CONTAINERS, running=2), False, Condition.PARTLY),
        (True, Remains(CONTAINERS, running=1), False, Condition.PARTLY),
        (True, Remains(CONTAINERS), False, Condition.STOPPED),
        (True, Remains(volumes=VOLUMES), False, Condition.KEPT),
        (True, Remains(), False, Condition.FOLDER),
        (False, Remains(CONTAINERS, running=2), True, Condition.ENGINE),
        (False, Remains(volumes=VOLUMES), False, Condition.ENGINE),
    ],
)
def test_a_lab_has_one_condition(folder: bool, there: Remains, ready: bool, called: Condition) -> None:
    assert condition(folder, there, all_ready=ready) is called


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabState:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lab = LabState("lab")
    lab.rendered.mkdir(parents=True)
    lab.lab_file.write_text(dump_lab_file(LabFile()))
    lab.compose_file.write_text("services: {a: {}, b: {}}\n")
    return lab


def service(name: str, health: str = "healthy") -> ServiceState:
    return ServiceState(name, name, "running", health, None, "Up")


def test_a_lab_of_which_services_are_missing_is_not_ready(state: LabState) -> None:
    there = Remains(("a",), running=1)
    seen = look_at(state, there, {"a": service("a")}, lambda _: LabFile())
    assert (seen.condition, seen.ready, seen.services) == (Condition.PARTLY, 1, 2)
    both = {name: service(name) for name in "ab"}
    assert look_at(state, Remains(CONTAINERS, running=2), both, lambda _: LabFile()).condition is Condition.READY
    sick = {"a": service("a"), "b": service("b", "unhealthy")}
    assert look_at(state, Remains(CONTAINERS, running=2), sick, lambda _: LabFile()).condition is Condition.PARTLY


def test_a_lab_whose_file_is_damaged_is_listed(state: LabState) -> None:
    def read(_: LabState) -> LabFile:
        raise BadInput("damaged")

    seen = look_at(state, Remains(), {}, read)
    assert (seen.lab, seen.condition) == (None, Condition.FOLDER)
