"""`labctl down`: the machine is what it was before `up`."""

import pytest

from tests.lab.commands import labctl, labelled
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.machine import Snapshot, compare, snapshot


def test_after_down_the_machine_is_what_it_was(lab: Lab, machine_before: Snapshot) -> None:
    if lab.up is None:
        pytest.skip("the lab of LABCTL_TEST_LAB is not these tests' to take down")
    ran = labctl("down", "--name", lab.name)
    assert ran.code == 0, str(ran)
    measured("labctl down", ran.seconds, "s")
    assert labelled(lab.name) == {"containers": [], "networks": [], "volumes": []}
    differences = compare(machine_before, snapshot("after-down"))
    assert not differences, "\n".join(differences)


def test_a_second_down_says_that_there_is_nothing(lab: Lab) -> None:
    if lab.up is None:
        pytest.skip("the lab of LABCTL_TEST_LAB is not these tests' to take down")
    ran = labctl("down", "--name", lab.name)
    assert ran.code == 8, str(ran)
    assert "Traceback" not in ran.err
