"""A lab that is up, and a second user of the engine: he can look at it, and changes nothing of it."""

from pathlib import Path

import pytest

from labctl.errors import NotYours
from labctl.lab.owner import this_user
from tests.lab.commands import Ran, inspect, labelled
from tests.lab.conftest import Lab
from tests.second_user import SecondUser, only_root

pytestmark = only_root


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> SecondUser:
    return SecondUser.below(tmp_path_factory)


def everything(lab: Lab) -> tuple[object, ...]:
    """All that the engine has of the lab and that a command could change; health checks go on."""
    there = labelled(lab.name)
    containers = [
        (one["Id"], one["State"]["StartedAt"], one["State"]["Status"], one["Config"])
        for one in inspect("container", sorted(there["containers"]))
    ]
    return containers, inspect("volume", sorted(there["volumes"])), sorted(there["networks"])


@pytest.mark.parametrize(
    "command", [["up", "--dry-run"], ["up"], ["down"], ["scale", "--nodes", "3"], ["reset"], ["stop"]], ids=" ".join
)
def test_a_second_user_is_refused_and_nothing_is_changed(lab: Lab, second: SecondUser, command: list[str]) -> None:
    before = everything(lab)
    ran: Ran = second.labctl(*command, "--name", lab.name)
    assert ran.code == NotYours.exit_code, str(ran)
    assert str(this_user()) in ran.err
    assert everything(lab) == before
    assert list(Path(second.home).rglob("lab.yaml")) == []


def test_he_sees_whose_it_is(lab: Lab, second: SecondUser) -> None:
    (line,) = (line for line in second.labctl("list").out.splitlines() if line.split()[0] == lab.name)
    assert line.split()[-1] == str(this_user())


def test_what_would_go_is_said_where_he_means_it(lab: Lab, second: SecondUser) -> None:
    before = everything(lab)
    ran = second.labctl("up", "--dry-run", "--adopt", "--name", lab.name)
    assert ran.code == 0, str(ran)
    assert f"{this_user()}'s lab {lab.name!r} is removed" in " ".join(ran.err.split())
    assert everything(lab) == before
