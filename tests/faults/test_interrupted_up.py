"""`up` is killed at forty points, with no warning; the next `up` finishes the job, and `down` leaves nothing.

The points are the steps of the plan that `up` itself announces: each is met once, where it begins or where it ends, and
a seed chooses the rest.
"""

import json
import random
from dataclasses import dataclass
from typing import Any

import pytest

from labctl.errors import NotFound
from tests.faults.conftest import SEED, start_labctl
from tests.faults.machine import Machine
from tests.lab.commands import labctl, labelled
from tests.lab.figures import measured
from tests.lab.machine import Snapshot, compare, snapshot

NAME = "fault"
POINTS = 40
UP = ("up", "--name", NAME, "--nodes", "1")

pytestmark = pytest.mark.usefixtures("no_lab")


@dataclass(frozen=True)
class Point:
    """A moment of a bring-up: a step of its plan begins, or ends."""

    event: str
    step: str

    def __str__(self) -> str:
        return f"{self.step} {self.event.removeprefix('planned_step_')}"

    def has_come(self, line: str) -> bool:
        event = json.loads(line)
        return (event["event"], event.get("id")) == (self.event, self.step)


@pytest.fixture(scope="module")
def points(machine: Machine) -> list[Point]:
    """Every step of the plan once, then a choice of the moments that are left."""
    steps = planned()
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    moments = ("planned_step_started", "planned_step_finished")
    # Services all begin at once, and end one by one: their ends are spread over the whole bring-up.
    first = [Point(moments[step["id"].startswith("create:")], step["id"]) for step in steps]
    others = [Point(moments[0], step["id"]) for step in steps if step["id"].startswith("create:")]
    assert len(first) <= POINTS <= len(first) + len(others)
    return [*first, *chance.sample(others, POINTS - len(first))]


@pytest.fixture(scope="module")
def clean(machine: Machine) -> Snapshot:
    """The machine without a lab; one was there, for what the first lab of a boot leaves in the kernel for good."""
    assert labctl(*UP).code == 0
    assert labctl("down", "--name", NAME).code == 0
    return snapshot("faults-clean")


def planned() -> list[dict[str, Any]]:
    """The steps that `up` would take."""
    ran = labctl(*UP, "--dry-run", "--progress", "json")
    assert ran.code == 0, str(ran)
    return next(event["steps"] for event in map(json.loads, ran.out.splitlines()) if event["event"] == "plan_made")


def kill_at(point: Point) -> None:
    """Brings a lab up and kills labctl alone, so that nothing of it can tidy up."""
    with start_labctl(*UP) as running:
        assert running.stderr
        for line in running.stderr:
            if point.has_come(line):
                running.kill()
                break
        else:
            pytest.fail(f"`up` never came to {point}")


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
