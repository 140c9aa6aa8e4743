"""`labctl fault` and `labctl doctor`: what is broken on purpose is named, mended, and leaves nothing; the quick ones.

All faults that there are: `make test-matrix`.
"""

import json
from collections.abc import Iterator

import pytest

from labctl.fault.record import file
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.examining import Known, examined, found, look_at, wait_until_well
from tests.lab.figures import measured

DOCTOR_LIMIT = 10.0


@pytest.fixture(scope="module")
def known(lab: Lab) -> Known:
    """What is wrong with the lab from the start: nothing, unless it is one that others work with."""
    if lab.up is None:
        return look_at(lab.name)
    wait_until_well(lab.name)
    return frozenset()


@pytest.fixture
def well(lab: Lab, known: Known) -> Iterator[None]:
    """A lab that is well, and is so again afterwards, with an empty book."""
    yield
    cleared = labctl("fault", "clear", "--name", lab.name)
    assert cleared.code == 0, str(cleared)
    wait_until_well(lab.name, known)
    assert not file(lab.state).exists()


def inject(lab: Lab, fault: str, *options: str) -> None:
    ran = labctl("fault", "inject", fault, "--name", lab.name, *options)
    assert ran.code == 0, str(ran)


def test_a_lab_that_is_well_has_no_finding(lab: Lab, known: Known) -> None:
    ran = labctl("doctor", "--name", lab.name, "--json")
    measured(f"labctl doctor, {lab.nodes} nodes", ran.seconds, "s", DOCTOR_LIMIT)
    assert found(json.loads(ran.out), known) == {}


@pytest.mark.usefixtures("well")
def test_faults_of_a_node_are_named_and_fixed(lab: Lab, known: Known) -> None:
    """VXLAN that a firewall rejects, an address on a bridged NIC, a reflecting uplink: the walkthroughs' troubles."""
    for fault in ("input-reject", "address-on-bridged-nic", "reflecting-uplink", "arp-dropped"):
        inject(lab, fault, "--node", "node2")
    said = found(examined(lab.name), known)
    assert set(said) == {
        *("vxlan-dropped", "node-firewall"),
        *("address-on-port", "uplink-reflects", "ebtables-leftovers"),
    }
    assert all("node2: " in lines for lines in said.values()), said
    mended = labctl("doctor", "--name", lab.name, "--fix", "--json")
    assert found(examined(lab.name), known) == {}, str(mended)


@pytest.mark.usefixtures("well")
def test_faults_of_services_and_the_catalog_are_named_and_services_started(lab: Lab, known: Known) -> None:
    for fault in ("endpoint-unresolvable", "user-disabled", "metadata-agent-dead", "scheduler-paused"):
        inject(lab, fault)
    said = found(examined(lab.name), known)
    assert {"endpoint-host", "service-user", "service-dead"} <= set(said)
    assert "controller.invalid has no address here" in said["endpoint-host"]
    assert "placement, of etc/" in said["service-user"]
    assert "net-metadata-agent is " in said["service-dead"]
    assert "nova-scheduler is paused" in said["service-dead"]
    mended = labctl("doctor", "--name", lab.name, "--fix", "--json")
    assert "start net-metadata-agent: done" in mended.err, str(mended)
    assert "unpause nova-scheduler: done" in mended.err, str(mended)
