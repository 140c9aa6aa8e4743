"""The machine loses its power while servers run; when it is on again, the lab is there by itself, with all of them."""

import os
import time

from tests.faults.lab import answers, cloud, objects, running_lab, servers_with_addresses
from tests.faults.machine import Machine
from tests.lab.commands import labctl
from tests.lab.figures import measured

REBOOTS = int(os.environ.get("LABCTL_TEST_REBOOTS", "5"))
ANSWER_LIMIT = 60.0


def test_a_lab_outlives_reboots_of_its_machine(machine: Machine) -> None:
    with running_lab(2) as lab:
        with cloud(lab) as admin:
            addresses = servers_with_addresses(lab, admin, 3)
            before = objects(admin)
        secrets = lab.state.secrets.read_bytes()
        for number in range(1, REBOOTS + 1):
            machine.reboot()
            begin = time.monotonic()
            for address in addresses.values():
                answers(address)
            measured(f"reboot {number}: all servers answer", time.monotonic() - begin, "s", ANSWER_LIMIT)
            ran = labctl("up", "--name", lab.name)
            assert ran.code == 0, str(ran)
            with cloud(lab) as admin:
                assert objects(admin) == before
        assert lab.state.secrets.read_bytes() == secrets
