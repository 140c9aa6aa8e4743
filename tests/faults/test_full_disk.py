"""The disk is full in the middle of `up`: it fails and says so; once there is room, the next `up` finishes the job."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.machine import Machine
from tests.faults.points import NAME, UP, Point, planned, spread, up_until
from tests.lab.commands import labctl

SIZE = 2**31
POINTS = 4
REACH_SECONDS = "120"
WAIT_SECONDS = "60"
ENOUGH_SECONDS = "300"


@pytest.fixture
def ballast(machine: Machine) -> Iterator[Path]:
    """A file on a disk that holds the engine's volumes alone."""
    machine.reboot(f"{SIZE}")
    volumes = machine.inside(machine.folder / "data/volumes")
    room = os.statvfs(volumes)
    assert room.f_blocks * room.f_frsize == SIZE, "this is not the small disk: nothing may fill it"
    yield volumes / "ballast"
    (volumes / "ballast").unlink(missing_ok=True)
    labctl("down", "--name", NAME)
    machine.reboot()


def test_up_finishes_once_there_is_room(machine: Machine, ballast: Path) -> None:
    points: list[Point] = spread(POINTS + 1)[:POINTS]
    for point in points:
        with up_until(point, "--wait-timeout", REACH_SECONDS) as running:
            fill(ballast)
            running.communicate(timeout=600)
        full = labctl(*UP, "--wait-timeout", WAIT_SECONDS)
        assert full.code != 0, f"disk full at {point}, and `up` succeeds"
        assert "Traceback" not in full.err, f"disk full at {point}\n{full}"
        assert "No space left on device" in full.err or "disk" in full.err, f"disk full at {point}\n{full}"
        ballast.unlink()
        ran = labctl(*UP, "--wait-timeout", ENOUGH_SECONDS)  # the lab keeps what it was told last
        assert ran.code == 0, f"disk full at {point}\n{ran}"
        assert planned() == [], f"disk full at {point}"
        assert labctl("down", "--name", NAME).code == 0


def fill(ballast: Path) -> None:
    """Takes all room that is left, to the last page."""
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096 * 256))
