"""Moments of a bring-up at which a fault comes: the steps of the plan that `up` itself announces."""

import json
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.conftest import SEED, start_labctl
from tests.lab.commands import labctl

NAME = "fault"
UP = ("up", "--name", NAME, "--nodes", "1")
MOMENTS = ("planned_step_started", "planned_step_finished")


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


def planned() -> list[dict[str, Any]]:
    """The steps that `up` would take."""
    ran = labctl(*UP, "--dry-run", "--progress", "json")
    assert ran.code == 0, str(ran)
    return next(event["steps"] for event in map(json.loads, ran.out.splitlines()) if event["event"] == "plan_made")


def every_step(count: int) -> list[Point]:
    """Every step of the plan once, then a choice of the moments that are left."""
    steps = planned()
    # Services all begin at once, and end one by one: their ends are spread over the whole bring-up.
    first = [Point(MOMENTS[step["id"].startswith("create:")], step["id"]) for step in steps]
    others = [Point(MOMENTS[0], step["id"]) for step in steps if step["id"].startswith("create:")]
    assert len(first) <= count <= len(first) + len(others)
    return [*first, *random.Random(SEED).sample(others, count - len(first))]  # noqa: S311 - repeatable, not secret


def spread(count: int) -> list[Point]:
    """A few moments, from the first step to the last."""
    ends = [Point(MOMENTS[1], step["id"]) for step in planned()]
    return [ends[index * len(ends) // count] for index in range(count)]


@contextmanager
def up_until(point: Point, *options: str) -> Iterator[subprocess.Popen[str]]:
    """`up`, which has just come to a point; it ends with the context."""
    with start_labctl(*UP, *options) as running:
        assert running.stderr
        for line in running.stderr:
            if point.has_come(line):
                break
        else:
            pytest.fail(f"`up` never came to {point}")
        yield running


def kill_at(point: Point) -> None:
    """Brings a lab up and kills labctl alone, so that nothing of it can tidy up."""
    with up_until(point) as running:
        running.kill()
