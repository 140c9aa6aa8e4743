"""The address plan: which address everything of a lab has. Pure; the plan is fixed, so addresses survive a reboot."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network

from labctl.errors import MachineConflict
from labctl.lab.nodes import MOST, node_number

CANDIDATES = tuple(
    network
    for pool in ("10.77.0.0/16", "172.29.0.0/16", "192.168.128.0/17")
    for network in IPv4Network(pool).subnets(new_prefix=22)
)
"""Ranges that a lab may take, in order of preference: /22 networks in parts of RFC 1918 that are seldom used."""

NETWORK_NODE = "net"
FIRST_NODE = 10
PRIVATE_BLOCKS = (10, 172, 192)
"""The first octets of the ranges that a lab may have."""

BROKER_PORT, BROKER_TLS_PORT = 5672, 5671
"""The ports of AMQP and AMQPS (IANA)."""

POOL = (100, 239)
"""First and last host number of the provider network that floating IPs and routers may have."""


class Role(StrEnum):
    """What a node does."""

    COMPUTE = "compute"
    NETWORK = "network"


@dataclass(frozen=True)
class Node:
    """One node: a namespace with a group of containers.

    Attributes:
        name: Its host name.
        role: What it does.
        mgmt: Its address on the management network.
        tunnel: Its VXLAN end point.
        provider: The address that Docker gives its provider interface, which the node takes off again.
    """

    name: str
    role: Role
    mgmt: IPv4Address
    tunnel: IPv4Address
    provider: IPv4Address


@dataclass(frozen=True)
class AddressPlan:
    """All addresses of a lab, out of one /22."""

    range: IPv4Network

    @property
    def mgmt(self) -> IPv4Network:
        """The management network."""
        return self._part(0)

    @property
    def tunnel(self) -> IPv4Network:
        """The network of the VXLAN end points."""
        return self._part(1)

    @property
    def provider(self) -> IPv4Network:
        """The provider network."""
        return self._part(2)

    @property
    def gateway(self) -> IPv4Address:
        """The host on the management network; the control plane binds there."""
        return self.mgmt[1]

    @property
    def broker(self) -> IPv4Address:
        """RabbitMQ."""
        return self.mgmt[2]

    @property
    def loopback(self) -> IPv4Address:
        """The lab's own address in 127.0.0.0/8, for sockets that nobody off this machine reaches, whatever it routes.

        The middle octets are those of the lab's range and the last says which private block it is of (RFC 1918), so no
        two labs have the same, and none has 127.0.0.1.
        """
        first, second, third, _ = self.range.network_address.packed
        return IPv4Address(bytes([127, second, third, 101 + PRIVATE_BLOCKS.index(first)]))

    @property
    def mgmt_of_nodes(self) -> str:
        """The addresses that nodes may have on the management network, from the first to the last."""
        return self._of_nodes(self.mgmt)

    @property
    def tunnel_of_nodes(self) -> str:
        """The VXLAN end points that nodes may have, likewise."""
        return self._of_nodes(self.tunnel)

    @property
    def provider_gateway(self) -> IPv4Address:
        """The host on the provider network."""
        return self.provider[1]

    @property
    def floating_pool(self) -> tuple[IPv4Address, IPv4Address]:
        """First and last address for floating IPs and routers."""
        return self.provider[POOL[0]], self.provider[POOL[1]]

    def nodes(self, computes: Iterable[str]) -> tuple[Node, ...]:
        """The network node and the compute nodes of these names; a node's addresses depend on nothing but its name."""
        return (
            self._node(NETWORK_NODE, Role.NETWORK, 0),
            *(self._node(name, Role.COMPUTE, node_number(name) or 0) for name in computes),
        )

    @staticmethod
    def _of_nodes(network: IPv4Network) -> str:
        return f"{network[FIRST_NODE]}-{network[FIRST_NODE + MOST]}"

    def _node(self, name: str, role: Role, number: int) -> Node:
        host = FIRST_NODE + number
        return Node(name, role, self.mgmt[host], self.tunnel[host], self.provider[host])

    def _part(self, index: int) -> IPv4Network:
        return list(self.range.subnets(new_prefix=24))[index]


def broker_port(*, tls: bool) -> int:
    """The one port of the broker."""
    return BROKER_TLS_PORT if tls else BROKER_PORT


def choose_range(taken: Iterable[IPv4Network], wanted: IPv4Network | None = None) -> IPv4Network:
    """Picks a range that collides with nothing.

    Args:
        taken: Networks that the machine routes somewhere, or that Docker or another lab has.
        wanted: The range that the lab file asks for.

    Raises:
        MachineConflict: The wanted range is taken, or all are.
    """
    in_use = [network for network in taken if network.prefixlen]
    for candidate in [wanted] if wanted else CANDIDATES:
        clash = next((network for network in in_use if network.overlaps(candidate)), None)
        if clash is None:
            return candidate
    if wanted:
        raise MachineConflict(
            f"The address range {wanted} is taken on this machine.",
            evidence=[f"{clash} has a route, or belongs to a Docker network or another lab"],
            remedy="Name another /22 as `address_range` in the lab file, or leave it out: labctl finds a free one.",
        )
    raise MachineConflict(
        "No address range is free for a lab on this machine.",
        evidence=[f"tried {len(CANDIDATES)} ranges of {CANDIDATES[0].prefixlen} bits"],
        remedy="Name a free /22 as `address_range` in the lab file.",
    )
