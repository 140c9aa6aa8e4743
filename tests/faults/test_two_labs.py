"""Two labs are brought up at the same moment, and share nothing; the end of one does not touch the other."""

import os

import pytest

from tests.faults.conftest import start_labctl
from tests.faults.machine import Machine
from tests.lab.commands import docker, inspect, labctl, labelled

ROUNDS = int(os.environ.get("LABCTL_TEST_ROUNDS", "3"))
LABS = ("one", "two")


@pytest.mark.usefixtures("no_lab")
@pytest.mark.parametrize("number", range(1, ROUNDS + 1))
def test_two_labs_at_once(machine: Machine, number: int) -> None:
    both("up", "--nodes", "1")
    networks = [
        one["IPAM"]["Config"][0]["Subnet"] for lab in LABS for one in inspect("network", labelled(lab)["networks"])
    ]
    assert len(networks) == len(set(networks)) == 6
    both("demo")
    others = containers("two")
    assert labctl("down", "--name", "one").code == 0
    assert not any(labelled("one").values())
    assert containers("two") == others
    demo = labctl("demo", "--name", "two")
    assert demo.code == 0, str(demo)


def both(*arguments: str) -> None:
    """Runs one command for both labs at once; both must succeed."""
    running = [start_labctl(*arguments, "--name", lab) for lab in LABS]
    said = [process.communicate(timeout=600)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], "\n\n".join(text[-3000:] for text in said)


def containers(lab: str) -> dict[str, str]:
    """The lab's containers that run, and since when."""
    found = inspect("container", docker("ps", "--quiet", "--filter", f"label=org.labctl.lab={lab}").split())
    return {one["Id"]: one["State"]["StartedAt"] for one in found}
