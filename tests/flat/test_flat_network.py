"""A lab with `network: flat`: servers directly on the provider network, without the network node in their way."""

import json
from collections.abc import Iterator

import pytest
from openstack.connection import Connection

from labctl.cloud.connection import connect
from labctl.cloud.ssh import GuestShell
from labctl.cloud.waiting import Pending, wait_until
from labctl.lab.addresses import NETWORK_NODE
from tests.conftest import Built
from tests.lab.commands import docker, labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import LOOK_EVERY, SECONDS, Guests

pytestmark = [
    # openstacksdk warns of its own internals, and leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket"),
]

NAME = "flat"
NODES = 2
METADATA = "http://169.254.169.254/openstack/latest/meta_data.json"


@pytest.fixture(scope="module")
def flat(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    lab_file = tmp_path_factory.mktemp("flat") / "lab.yaml"
    lab_file.write_text(f"name: {NAME}\nnodes: {NODES}\nnetwork: flat\n")
    ran = labctl("up", "--file", str(lab_file), "--progress", "json", timeout=600)
    try:
        assert ran.code == 0, str(ran)
        measured(f"labctl up of a flat lab, {NODES} nodes", ran.seconds, "s")
        yield Lab(NAME, NODES, ran)
    finally:
        labctl("down", "--name", NAME)


@pytest.fixture(scope="module")
def cloud(flat: Lab) -> Iterator[Connection]:
    connection = connect(flat.state.clouds_yaml, f"{flat.name}-admin")
    yield connection
    connection.session.session.close()
    connection.close()


@pytest.fixture(scope="module")
def on_it(flat: Lab, cloud: Connection) -> Iterator[Guests]:
    """The flat network; every compute node serves it with DHCP."""
    made = Guests(cloud)
    try:
        made.prepare_flat(flat.plan)
        wait_until(lambda: served_by_all(made, flat), "DHCP on every compute node", SECONDS, LOOK_EVERY)
        yield made
    finally:
        made.remove()


def served_by_all(guests: Guests, lab: Lab) -> bool | Pending:
    """Whether every compute node, and no other, has its DHCP port of the network up."""
    ports = guests.admin.network.ports(network_id=guests.network.id, device_owner="network:dhcp", status="ACTIVE")
    hosts = sorted(port.binding_host_id for port in ports)
    return hosts == [node.name for node in lab.node_list if node.name != NETWORK_NODE] or Pending(f"{hosts} so far")


def test_dhcp_and_metadata_are_on_every_compute_node(flat: Lab, cloud: Connection) -> None:
    agents = {(agent.host, agent.binary) for agent in cloud.network.agents() if agent.is_alive}
    for node in flat.node_list:
        assert ((node.name, "neutron-dhcp-agent") in agents) == (node.name != NETWORK_NODE)
        assert (node.name, "neutron-metadata-agent") in agents


def test_servers_need_no_network_node(flat: Lab, on_it: Guests) -> None:
    """They boot, get their addresses, keys and metadata, and reach each other while it is stopped."""
    of_network_node = [
        one["Id"]
        for service, one in flat.containers().items()
        if service == NETWORK_NODE or service.startswith(f"{NETWORK_NODE}-")
    ]
    docker("stop", *of_network_node)
    try:
        servers = [on_it.boot(f"{node}", node, log_in=True)[0] for node in ("node1", "node2")]
        addresses = [next(iter(server.addresses.values()))[0]["addr"] for server in servers]
        for server, own, other in zip(servers, addresses, reversed(addresses), strict=True):
            shell = on_it.log_in_at(server, own)  # with a key that came from the metadata service
            assert uuid_of_itself(shell) == server.id
            pinged = shell.run(f"sudo ping -c 3 -w 20 {other}", 60)
            assert pinged.status == 0, pinged
            routes = shell.run("ip route", 30).stdout
            assert f"default via {flat.plan.provider_gateway}" in routes, routes
            assert "169.254.169.254" in routes, routes
            shell.close()
    finally:
        docker("start", *of_network_node)


def uuid_of_itself(shell: GuestShell) -> str:
    """What the metadata service answers a server that asks who it is."""
    # Not with wget's own -T: that crashes in the guest's version of busybox.
    answer = shell.run(f"timeout 20 wget -q -O - {METADATA}", 60)
    assert answer.status == 0, answer
    return str(json.loads(answer.stdout)["uuid"])


def test_a_flat_lab_is_healthy(flat: Lab, on_it: Guests) -> None:
    """Also after its network node was stopped and started; the machine's own troubles are not the lab's."""

    def findings() -> list[str] | Pending:
        report = json.loads(labctl("doctor", "--name", flat.name, "--json").out)
        found = [f"{one['check']}: {one['evidence'][0]}" for one in report["findings"] if one["severity"] == "error"]
        return [] if not found else Pending("; ".join(found))

    assert wait_until(findings, "a lab without findings", SECONDS, 1.0) == []
