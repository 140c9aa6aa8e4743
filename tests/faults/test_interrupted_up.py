"""`up` is killed at forty points, with no warning; the next `up` finishes the job, and `down` leaves nothing.

The points are the steps of the plan that `up` itself announces: each is met once, where it begins or where it ends, and
a seed chooses the rest.
"""

import pytest

from labctl.errors import NotFound
from tests.faults.machine import Machine
from tests.faults.points import NAME, UP, Point, every_step, kill_at, planned
from tests.lab.commands import labctl, labelled
from tests.lab.figures import measured
from tests.lab.machine import Snapshot, compare, snapshot

POINTS = 40

pytestmark = pytest.mark.usefixtures("no_lab")


@pytest.fixture(scope="module")
def points(machine: Machine) -> list[Point]:
    return every_step(POINTS)


@pytest.fixture(scope="module")
def clean(machine: Machine) -> Snapshot:
    """The machine without a lab; one was there, for what the first lab of a boot leaves in the kernel for good."""
    assert labctl(*UP).code == 0
    assert labctl("down", "--name", NAME).code == 0
    return snapshot("faults-clean")


@pytest.mark.parametrize("number", range(POINTS))
def test_the_next_up_finishes_the_job(number: int, points: list[Point], clean: Snapshot) -> None:
    kill_at(points[number])
    ran = labctl(*UP)
    assert ran.code == 0, f"killed at {points[number]}\n{ran}"
    assert planned() == [], f"killed at {points[number]}"
    measured(f"killed at {points[number]}: the next up", ran.seconds, "s")


@pytest.mark.parametrize("number", range(POINTS))
def test_down_leaves_nothing_of_a_half_made_lab(number: int, points: list[Point], clean: Snapshot) -> None:
    kill_at(points[number])
    ran = labctl("down", "--name", NAME)
    assert ran.code in (0, NotFound.exit_code), f"killed at {points[number]}\n{ran}"
    assert not any(labelled(NAME).values()), f"killed at {points[number]}"
    assert compare(clean, snapshot()) == [], f"killed at {points[number]}"
