"""Nothing of a lab listens on an address that is not the lab's own.

What is allowed, and why:

- In the host's network namespace: the gateway of the management network, where the control plane is; with TLS that is
  the proxy, and the services are on the lab's loopback address. Nothing else.
- In the namespace of a node, and of the broker: the container's own addresses in the lab's networks, and the loopback
  address of that very namespace, which nobody else can reach.
- In a node's namespace, on every address: UDP port 8472, the VXLAN end point, a socket of the kernel that no process
  holds. The kernel binds it so whatever `local` says (drivers/net/vxlan: vxlan_create_sock); it takes packets from that
  namespace's interfaces only.
- In namespaces that Neutron's agents made inside of a node (qdhcp-*, qrouter-*): dnsmasq and haproxy, on the ports of
  DHCP, DNS and metadata. Their addresses belong to the networks of the cloud's users.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import pytest

from labctl.lab.addresses import broker_port
from tests.lab.commands import docker
from tests.lab.conftest import Lab
from tests.lab.guests import Guests
from tests.lab.machine import probe

VXLAN = ("udp", 8472)
IN_TENANT_NAMESPACES = {"dnsmasq": {53, 67, 547}, "haproxy": {80, 9697}}


@dataclass(frozen=True)
class Listener:
    """A listening socket, and who has it open: "service: command"; None for the kernel's own, and for others'."""

    protocol: str
    address: str
    port: int
    owner: str | None

    def __str__(self) -> str:
        return f"{self.protocol} {self.address}:{self.port} of {self.owner or 'nobody of the lab'}"

    @property
    def is_loopback(self) -> bool:
        return ip_address(self.address).is_loopback


@dataclass(frozen=True)
class Listening:
    """Listeners by the inode of their network namespace, and which namespace is whose.

    Attributes:
        host: The host's namespace.
        namespaces: All of them.
        of_service: The one that a service's container was started in.
        of_node: The one that a node's services have joined.
        tenants: Those that agents made.
    """

    host: str
    namespaces: dict[str, list[Listener]]
    of_service: dict[str, str]
    of_node: dict[str, str]
    tenants: frozenset[str]


def look(lab: Lab) -> Listening:
    seen = probe("containers")
    containers = lab.containers()
    services = {one["Id"]: name for name, one in containers.items()}
    services |= {f"labctl/{lab.name}/{node.name}": f"{node.name}-libvirt" for node in lab.node_list}
    main = {one["State"]["Pid"]: name for name, one in containers.items()}
    processes = [one for one in seen["processes"] if one["container"] in services]
    owners = {inode: f"{services[one['container']]}: {one['command']}" for one in processes for inode in one["sockets"]}
    networks = {one["network"] for one in processes}
    of_service = {main[one["pid"]]: one["network"] for one in processes if one["pid"] in main}
    # This agent alone has no process in a namespace of the cloud's users.
    of_node = {
        services[one["container"]].removesuffix("-linuxbridge-agent"): one["network"]
        for one in processes
        if services[one["container"]].endswith("-linuxbridge-agent") and one["pid"] not in main
    }
    return Listening(
        seen["host_network"],
        {network: [listener(row, owners) for row in seen["listening"][network]] for network in networks},
        of_service,
        of_node,
        frozenset(networks - {*of_service.values(), *of_node.values()}),
    )


def listener(row: dict[str, Any], owners: dict[str, str]) -> Listener:
    return Listener(row["protocol"], row["address"], row["port"], owners.get(row["inode"]))


@pytest.fixture(scope="module")
def listening(lab: Lab, guests: Guests) -> Listening:
    """All sockets, while a server runs: its console, its DHCP and its metadata are served."""
    server, _ = guests.boot("sockets", "node1")
    found = look(lab)
    guests.delete(server)
    return found


def own_addresses(service: str, lab: Lab) -> set[str]:
    """The addresses that the engine gave a container in the lab's networks."""
    networks = lab.containers()[service]["NetworkSettings"]["Networks"].values()
    return {network["IPAddress"] for network in networks} - {""}


def test_the_control_plane_listens_on_the_gateway_alone(lab: Lab, listening: Listening) -> None:
    ours = [one for one in listening.namespaces[listening.host] if one.owner]
    reached = [one for one in ours if not (lab.has_tls and one.address == str(lab.plan.loopback))]
    wrong = [str(one) for one in reached if one.address != str(lab.plan.gateway)]
    assert wrong == []
    assert {5000, 6080, 8774, 8775, 8778, 9292, 9696} <= {one.port for one in reached}


@pytest.mark.parametrize("service", ["mariadb", "memcached"])
def test_database_and_cache_listen_on_no_network(service: str, lab: Lab, listening: Listening) -> None:
    network = listening.of_service[service]
    assert network != listening.host
    assert [str(one) for one in listening.namespaces[network] if one.owner] == []


def test_nothing_else_listens_on_the_gateway(lab: Lab, listening: Listening) -> None:
    """A socket that no process of the lab has open would be one that the look has missed."""
    foreign = [one for one in listening.namespaces[listening.host] if not one.owner]
    assert [str(one) for one in foreign if one.address == str(lab.plan.gateway)] == []


def test_the_broker_listens_on_its_own_address_and_loopback(lab: Lab, listening: Listening) -> None:
    broker = str(lab.plan.broker)
    ours = [one for one in listening.namespaces[listening.of_service["rabbitmq"]] if one.owner]
    assert [str(one) for one in ours if one.address != broker and not one.is_loopback] == []
    assert broker_port(tls=lab.has_tls) in {one.port for one in ours if one.address == broker}


def test_nodes_listen_on_their_own_addresses(lab: Lab, listening: Listening) -> None:
    for node in lab.node_list:
        network = listening.of_node[node.name]
        assert network != listening.host
        allowed = own_addresses(node.name, lab)
        wrong = [
            str(one)
            for one in listening.namespaces[network]
            if one.address not in allowed
            and not one.is_loopback
            and not (one.owner is None and (one.protocol.removesuffix("6"), one.port) == VXLAN)
        ]
        assert wrong == [], node.name


def test_nothing_listens_where_a_nodes_containers_start(lab: Lab, listening: Listening) -> None:
    """But for libvirt: its first process is libvirtd itself, which has joined the node."""
    starts = {
        network
        for service, network in listening.of_service.items()
        if lab.of_node(service) and not service.endswith("-libvirt")
    }
    assert starts.isdisjoint(listening.of_node.values())
    found = [one for network in starts - {listening.host} for one in listening.namespaces[network]]
    assert [str(one) for one in found if not one.is_loopback] == []  # the engine's resolver is on 127.0.0.11


def test_a_guests_console_listens_on_its_nodes_management_address(lab: Lab, listening: Listening) -> None:
    node = next(node for node in lab.node_list if node.name == "node1")
    consoles = [
        one.address
        for one in listening.namespaces[listening.of_node["node1"]]
        if one.owner and "qemu-system" in one.owner and 5900 <= one.port < 6000
    ]
    assert consoles == [str(node.mgmt)]


def test_only_dhcp_and_metadata_listen_in_tenant_namespaces(lab: Lab, listening: Listening) -> None:
    wrong, programs = [], set()
    for network in listening.tenants:
        for one in listening.namespaces[network]:
            program = next((name for name in IN_TENANT_NAMESPACES if name in (one.owner or "")), "")
            programs.add(program)
            if one.port not in IN_TENANT_NAMESPACES.get(program, set()):
                wrong.append(str(one))
    assert wrong == []
    assert programs == set(IN_TENANT_NAMESPACES)


def test_no_port_is_published(lab: Lab) -> None:
    published = docker("ps", "--filter", f"label=org.labctl.lab={lab.name}", "--format", "{{.Ports}}").split()
    assert [text for text in published if "->" in text] == []
