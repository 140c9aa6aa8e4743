"""The machine loses its power in the middle of `up`; when it is on again, the next `up` finishes the job."""

import pytest

from tests.faults.machine import Machine
from tests.faults.points import NAME, UP, planned, spread, up_until
from tests.lab.commands import labctl
from tests.lab.figures import measured

CUTS = 5


@pytest.mark.usefixtures("no_lab")
@pytest.mark.parametrize("number", range(CUTS))
def test_the_next_up_finishes_the_job(machine: Machine, number: int) -> None:
    point = spread(CUTS)[number]
    with up_until(point) as running:
        # labctl ends with its machine.
        running.kill()
        machine.reboot()
    ran = labctl(*UP)
    assert ran.code == 0, f"power cut at {point}\n{ran}"
    assert planned() == [], f"power cut at {point}"
    measured(f"power cut at {point}: the next up", ran.seconds, "s")
    demo = labctl("demo", "--name", NAME)
    assert demo.code == 0, f"power cut at {point}\n{demo}"
