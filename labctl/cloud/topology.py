"""What a cloud says of its networks: ports and where they are, segments, routers, floating IPs, security groups."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import TYPE_CHECKING, Any

from labctl.lab import devices

if TYPE_CHECKING:
    from openstack.connection import Connection

ROUTER_PORTS = ("network:router_interface", "network:ha_router_replicated_interface")
GATEWAY_PORT = "network:router_gateway"
FLOATING_PORT = "network:floatingip"
"""Holds an address and is nowhere: the router with the gateway port answers for it."""


@dataclass(frozen=True)
class Server:
    """A server: nova's state of it, and its node."""

    id: str
    name: str
    status: str
    node: str


@dataclass(frozen=True)
class FixedAddress:
    """An address of a port, in a subnet."""

    address: IPv4Address
    subnet: str


@dataclass(frozen=True)
class Port:
    """A port of neutron.

    Attributes:
        id: Its id; its devices' names are made of it.
        mac: Its MAC address.
        addresses: Its IPv4 addresses.
        network: The id of its network.
        owner: What it is for, such as compute:nova or network:dhcp.
        device: The id of its server or router.
        node: The node it is bound to; empty where to none.
        status: ACTIVE, DOWN, BUILD.
        groups: The ids of its security groups.
        is_secured: Whether security groups are applied to it.
    """

    id: str
    mac: str
    addresses: tuple[FixedAddress, ...]
    network: str
    owner: str = ""
    device: str = ""
    node: str = ""
    status: str = "ACTIVE"
    groups: tuple[str, ...] = ()
    is_secured: bool = True

    @property
    def tap(self) -> str:
        """Its device on the node."""
        return devices.tap(self.id)

    @property
    def bridge(self) -> str:
        """The bridge that the device must be in."""
        return devices.bridge(self.network)


@dataclass(frozen=True)
class Network:
    """A network: vxlan, flat or vlan, its VNI or VLAN number, and how large a packet may be."""

    id: str
    name: str
    type: str
    segment: int | None
    mtu: int


@dataclass(frozen=True)
class Subnet:
    """A subnet, and the address that its servers send to what is elsewhere."""

    id: str
    network: str
    range: IPv4Network
    gateway: IPv4Address | None


@dataclass(frozen=True)
class Router:
    """A router.

    Attributes:
        id: Its id.
        name: Its name.
        is_up: Whether somebody switched it off.
        translates: Whether addresses that have no floating IP become its own, outside.
    """

    id: str
    name: str
    is_up: bool = True
    translates: bool = True


@dataclass(frozen=True)
class FloatingIp:
    """A floating IP; without a port it leads nowhere."""

    address: IPv4Address
    fixed: IPv4Address | None
    port: str
    router: str


@dataclass(frozen=True)
class GroupRule:
    """A rule of a security group: what it lets through; None is anything."""

    direction: str
    protocol: str | None = None
    first: int | None = None
    last: int | None = None
    remote_range: IPv4Network | None = None
    remote_group: str = ""


@dataclass(frozen=True)
class Group:
    """A security group."""

    id: str
    name: str
    rules: tuple[GroupRule, ...]


@dataclass(frozen=True)
class Agent:
    """An agent of neutron on a node, and whether neutron has heard of it lately."""

    binary: str
    node: str
    is_alive: bool


@dataclass(frozen=True)
class Topology:
    """Everything together."""

    servers: tuple[Server, ...] = ()
    ports: tuple[Port, ...] = ()
    networks: tuple[Network, ...] = ()
    subnets: tuple[Subnet, ...] = ()
    routers: tuple[Router, ...] = ()
    floating: tuple[FloatingIp, ...] = ()
    groups: tuple[Group, ...] = ()
    agents: tuple[Agent, ...] = ()

    def network(self, id: str) -> Network:
        """The network with that id."""
        return next(one for one in self.networks if one.id == id)

    def subnet(self, id: str) -> Subnet:
        """The subnet with that id."""
        return next(one for one in self.subnets if one.id == id)

    def server_of(self, port: Port) -> Server | None:
        """The server that a port belongs to."""
        return next((one for one in self.servers if one.id == port.device), None)

    def port_with(self, address: IPv4Address, network: str) -> Port | None:
        """The port that answers for an address in a network."""
        found = (one for one in self.ports if one.network == network and one.owner != FLOATING_PORT)
        return next((one for one in found if address in (fixed.address for fixed in one.addresses)), None)

    def floating_ip(self, address: IPv4Address) -> FloatingIp | None:
        """The floating IP with that address."""
        return next((one for one in self.floating if one.address == address), None)

    def floating_of(self, port: Port, fixed: IPv4Address) -> FloatingIp | None:
        """The floating IP of a port's address."""
        return next((one for one in self.floating if one.port == port.id and one.fixed == fixed), None)


def fetch_topology(admin: "Connection") -> Topology:
    """Asks neutron and nova, all at once.

    Raises:
        CloudCheckFailed: An API refused, or did not answer.
    """
    from labctl.cloud.connection import api_errors  # see labctl.trace.run: openstacksdk comes later

    api = admin.network
    asked: tuple[Callable[[], tuple[Any, ...]], ...] = (
        lambda: tuple(map(_server, admin.compute.servers(all_projects=True))),
        lambda: tuple(map(read_port, api.ports())),
        lambda: tuple(map(read_network, api.networks())),
        lambda: tuple(_subnet(one) for one in api.subnets(ip_version=4)),
        lambda: tuple(map(_router, api.routers())),
        lambda: tuple(map(_floating, api.ips())),
        lambda: tuple(map(_group, api.security_groups())),
        lambda: tuple(Agent(one.binary, one.host, bool(one.is_alive)) for one in api.agents()),
    )
    with api_errors("tell of its networks"):
        admin.authorize()
        with ThreadPoolExecutor(4) as pool:
            return Topology(*(one.result() for one in [pool.submit(ask) for ask in asked]))


def _server(one: Any) -> Server:
    return Server(one.id, one.name, one.status, one.compute_host or "")


def read_port(one: Any) -> Port:
    """A port, from what openstacksdk says of it."""
    fixed = (FixedAddress(IPv4Address(each["ip_address"]), each["subnet_id"]) for each in _ipv4(one.fixed_ips))
    return Port(
        id=one.id,
        mac=one.mac_address,
        addresses=tuple(fixed),
        network=one.network_id,
        owner=one.device_owner or "",
        device=one.device_id or "",
        node=one.binding_host_id or "",
        status=one.status,
        groups=tuple(one.security_group_ids or ()),
        is_secured=bool(one.is_port_security_enabled),
    )


def _ipv4(fixed: Any) -> Any:
    return (each for each in fixed or () if ":" not in each["ip_address"])


def read_network(one: Any) -> Network:
    """A network, likewise."""
    return Network(one.id, one.name, one.provider_network_type, one.provider_segmentation_id, one.mtu)


def _subnet(one: Any) -> Subnet:
    return Subnet(
        one.id, one.network_id, IPv4Network(one.cidr), IPv4Address(one.gateway_ip) if one.gateway_ip else None
    )


def _router(one: Any) -> Router:
    gateway = one.external_gateway_info or {}
    return Router(one.id, one.name, bool(one.is_admin_state_up), bool(gateway.get("enable_snat", True)))


def _floating(one: Any) -> FloatingIp:
    fixed = IPv4Address(one.fixed_ip_address) if one.fixed_ip_address else None
    return FloatingIp(IPv4Address(one.floating_ip_address), fixed, one.port_id or "", one.router_id or "")


def _group(one: Any) -> Group:
    return Group(
        one.id, one.name, tuple(_rule(each) for each in one.security_group_rules if each["ethertype"] == "IPv4")
    )


def _rule(one: Any) -> GroupRule:
    return GroupRule(
        direction=one["direction"],
        protocol=one["protocol"],
        first=one["port_range_min"],
        last=one["port_range_max"],
        remote_range=IPv4Network(one["remote_ip_prefix"], strict=False) if one["remote_ip_prefix"] else None,
        remote_group=one["remote_group_id"] or "",
    )
