"""A lab of the fault suite with servers that answer pings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from openstack.connection import Connection

from labctl.cloud.connection import connect
from labctl.cloud.waiting import Pending, wait_until
from tests.lab.commands import execute, labctl
from tests.lab.conftest import Lab
from tests.lab.guests import Guests

NAME = "fault"
ANSWER_SECONDS = 90.0
PING_SECONDS = 10


@contextmanager
def running_lab(nodes: int) -> Iterator[Lab]:
    """A lab, brought up, and taken down at the end."""
    ran = labctl("up", "--name", NAME, "--nodes", str(nodes), "--progress", "json", timeout=600)
    try:
        assert ran.code == 0, str(ran)
        yield Lab(NAME, nodes, ran)
    finally:
        labctl("down", "--name", NAME)


@contextmanager
def cloud(lab: Lab) -> Iterator[Connection]:
    """Its admin."""
    connection = connect(lab.state.clouds_yaml, f"{lab.name}-admin")
    try:
        yield connection
    finally:
        connection.session.session.close()
        connection.close()


def servers_with_addresses(lab: Lab, admin: Connection, count: int) -> dict[str, str]:
    """Boots servers, one node after the other. Returns server id to floating IP, all answering."""
    guests = Guests(admin)
    guests.prepare()
    guests.reach_from_host(lab.plan)
    addresses = {}
    for number in range(count):
        server, _ = guests.boot(f"{number}", f"node{number % lab.nodes + 1}")
        addresses[server.id] = guests.floating_ip(server)
    for address in addresses.values():
        answers(address)
    return addresses


def answers(address: str, seconds: float = ANSWER_SECONDS) -> None:
    """Waits until an address answers to a ping."""
    wait_until(lambda: pings(address) or Pending("no reply"), f"{address} to answer", seconds, 0.2)


def pings(address: str) -> bool:
    """Pings until there is a reply, or for some seconds: a container for each ping would be a load of its own."""
    command = ["docker", "run", "--rm", "--network", "host", "--user", "0", "labctl/client:2024.2"]
    return execute([*command, "ping", "-n", "-i", "0.2", "-c", "1", "-w", str(PING_SECONDS), address]).code == 0


def objects(admin: Connection) -> dict[str, list[Any]]:
    """What the cloud holds, but for what a load makes meanwhile."""
    return {
        "servers": sorted((one.id, one.status, one.compute_host) for one in admin.compute.servers(all_projects=True)),
        "ports": sorted((one.id, one.mac_address) for one in admin.network.ports()),
        "floating ips": sorted((one.id, one.floating_ip_address) for one in admin.network.ips()),
        "routers": sorted(one.id for one in admin.network.routers()),
        "subnets": sorted(one.id for one in admin.network.subnets()),
        "flavors": sorted(one.id for one in admin.compute.flavors()),
        "endpoints": sorted((one.id, one.url) for one in admin.identity.endpoints()),
        "users": sorted((one.id, one.name) for one in admin.identity.users()),
        "allocations": sorted(one.id for one in admin.placement.resource_providers()),
    }
