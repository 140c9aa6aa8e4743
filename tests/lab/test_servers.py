"""What people do with a server when it misbehaves, and what it reaches of the world."""

import socket
from ipaddress import IPv4Address

import pytest

from labctl.cloud.ssh import GuestShell
from tests.lab.conftest import Lab
from tests.lab.guests import Guests

SECONDS = 60.0
SOMEWHERE = "198.51.100.1"
"""An address for documentation (RFC 5737): nobody has it, and routes to it are those to the world."""


def says(shell: GuestShell, command: str) -> str:
    ran = shell.run(command, SECONDS)
    assert ran.status == 0, ran
    return ran.stdout.strip()


def machines_address() -> IPv4Address | None:
    """The machine's address towards the world; asked of its routes, nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((SOMEWHERE, 9))
        except OSError:
            return None
        return IPv4Address(asked.getsockname()[0])


def test_a_server_is_cured_as_ever_and_reaches_what_is_outside(lab: Lab, reached: Guests) -> None:
    """`nova reset-state --active`, `nova reboot --hard`; then a ping to an address that no network of the lab has.

    The server's flavor has all kinds of disk that nova-compute makes.
    """
    compute = reached.admin.compute
    flavor = reached.flavor_with(ephemeral=1, swap=32)
    server, _ = reached.boot("cure", "node1", flavor=flavor, log_in=True)
    address = reached.floating_ip(server)
    shell = reached.log_in_at(server, address)
    assert says(shell, "lsblk --nodeps --noheadings --output NAME").split() == ["vda", "vdb", "vdc"]
    assert " vfat " in says(shell, "sudo mount /dev/vdb /mnt; grep ' /mnt ' /proc/mounts")
    before = says(shell, "cat /proc/sys/kernel/random/boot_id")
    shell.close()

    compute.reset_server_state(server, "error")
    assert compute.get_server(server.id).status == "ERROR"
    compute.reset_server_state(server, "active")
    assert reached.reach(server, "ACTIVE")
    compute.reboot_server(server, "HARD")
    reached.reach(server, "ACTIVE")
    shell = reached.log_in_at(server, address)
    assert says(shell, "cat /proc/sys/kernel/random/boot_id") != before

    outside = machines_address()
    if outside is None:
        pytest.skip("the machine has no route to the world: there is nothing outside of the lab")
    assert outside not in lab.plan.range
    says(shell, f"sudo ping -c 1 -w 20 {outside}")
    shell.close()
    reached.delete(server)
