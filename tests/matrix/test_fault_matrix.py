"""Every fault that labctl can make is named: fault by fault, made in a lab that is well, named, mended, well again.

A test leaves the lab well, so the next begins with one that is.
"""

import pytest

from labctl.fault.fault import TRACE, Fault, Where
from labctl.fault.faults import ALL
from labctl.fault.record import read_injected
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.examining import Known, wait_for, wait_until_well

NODE = {Where.NODE: "node1", Where.COMPUTE: "node1", Where.NETWORK: "net"}


@pytest.mark.parametrize("fault", [one for one in ALL if one.verdict != TRACE], ids=lambda one: one.id)
@pytest.mark.usefixtures("server")
def test_the_doctor_names_it(lab: Lab, known: Known, fault: Fault) -> None:
    injected = labctl("fault", "inject", fault.id, "--name", lab.name)
    try:
        assert injected.code == 0, str(injected)
        said = wait_for(lab.name, f"{fault.verdict} to be found", lambda said: fault.verdict in said, known)
        print(f"{fault.id}: {said}")
        if fault.where in NODE and fault.verdict != "floating-ip-nat":
            assert NODE[fault.where] in said[fault.verdict]
    finally:
        cleared = labctl("fault", "clear", fault.id, "--name", lab.name)
    assert cleared.code == 0, str(cleared)
    assert read_injected(lab.state) == ()
    wait_until_well(lab.name, known)
