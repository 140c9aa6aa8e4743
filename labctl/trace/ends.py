"""From where to where: what a person named, found in what neutron says. Pure."""

from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from labctl.cloud.topology import Server, Topology
from labctl.errors import BadInput, NotFound
from labctl.lab.addresses import AddressPlan
from labctl.lab.names import nearest
from labctl.trace.hops import Path
from labctl.trace.kernel import HOST, Kernels, Place
from labctl.trace.packets import Protocol
from labctl.trace.path import Start, path_from_host, path_from_server

PROTOCOLS = "icmp, tcp:PORT or udp:PORT, with a port from 1 to 65535"


@dataclass(frozen=True)
class Wanted:
    """What a person asked for.

    Attributes:
        server: The server's name or id.
        to: Where to: an address, a server, or nothing where `source` is the host.
        source: The address that it comes from, or `host`; empty for the server's own.
        protocol: What to send.
        port: To which port.
    """

    server: str
    to: str = ""
    source: str = ""
    protocol: Protocol = Protocol.ICMP
    port: int = 0


def parse_protocol(text: str) -> tuple[Protocol, int]:
    """Reads `icmp`, `tcp:22` or `udp:53`.

    Raises:
        BadInput: It is none of these.
    """
    name, _, port = text.partition(":")
    if text == Protocol.ICMP:
        return Protocol.ICMP, 0
    if name in (Protocol.TCP, Protocol.UDP) and port.isdecimal() and 1 <= int(port) <= 65535:
        return Protocol(name), int(port)
    raise BadInput(f"{text!r} is nothing that can be sent.", evidence=[f"allowed: {PROTOCOLS}"])


def path_of(topology: Topology, kernels: Kernels, plan: AddressPlan, wanted: Wanted) -> Path:
    """The path that is asked for.

    Args:
        topology: What neutron says.
        kernels: What the kernels of nodes and host say.
        plan: The lab's addresses.
        wanted: What a person asked for.

    Raises:
        NotFound: There is no such server.
        BadInput: An address is none, or no packet could go that way.
    """
    server = find_server(topology, wanted.server)
    own = {one.ip for device in kernels.at(Place(HOST)).devices for one in device.addresses}
    source = _address(wanted.source) if wanted.source and wanted.source != HOST else None
    if wanted.source == HOST or source in own:
        target = _target(topology, wanted.to) if wanted.to else address_outside(topology, server)
        return path_from_host(topology, kernels, source or plan.provider_gateway, target)
    if not wanted.to:
        raise BadInput("Where shall the packet go?", remedy="`--to ADDRESS`, `--to SERVER`, or `--from host`.")
    start = _start(topology, server, source)
    return path_from_server(topology, kernels, start, _target(topology, wanted.to, start))


def find_server(topology: Topology, name: str) -> Server:
    """The server with that name or id.

    Raises:
        NotFound: There is none.
        BadInput: There are several.
    """
    found = [one for one in topology.servers if name in (one.id, one.name)]
    if not found:
        hint = nearest(name, [one.name for one in topology.servers])
        raise NotFound(
            f"There is no server {name!r}.", remedy=hint or "`labctl openstack server list --all-projects` shows them."
        )
    if len(found) > 1:
        raise BadInput(
            f"{len(found)} servers are called {name!r}.", evidence=[one.id for one in found], remedy="Name an id."
        )
    return found[0]


def starts(topology: Topology, server: Server) -> tuple[Start, ...]:
    """The addresses of a server."""
    ports = (one for one in topology.ports if one.device == server.id)
    return tuple(Start(port, fixed.address) for port in ports for fixed in port.addresses)


def address_outside(topology: Topology, server: Server) -> IPv4Address:
    """The address that the host reaches a server by: a floating IP, or its own on a provider network.

    Raises:
        BadInput: It has none.
    """
    for one in starts(topology, server):
        if floating := topology.floating_of(one.port, one.address):
            return floating.address
        if topology.network(one.port.network).type in ("flat", "vlan"):
            return one.address
    raise BadInput(
        f"The host cannot reach {server.name}: it has no floating IP, and is on no provider network.",
        remedy="`labctl openstack floating ip create NETWORK`, then `labctl openstack server add floating ip`.",
    )


def _start(topology: Topology, server: Server, source: IPv4Address | None) -> Start:
    found = starts(topology, server)
    if not found or not server.node:
        raise BadInput(
            f"{server.name} has no address, or is on no node.", evidence=[f"nova: it is {server.status}"],
            remedy="A packet can be traced from a server that runs.",
        )  # fmt: skip
    if source is None:
        return found[0]
    matching = next((one for one in found if one.address == source), None)
    if matching is None:
        shown = ", ".join(str(one.address) for one in found)
        raise BadInput(
            f"{source} is neither an address of {server.name} nor of the host.", evidence=[f"its own: {shown}"]
        )
    return matching


def _target(topology: Topology, text: str, start: Start | None = None) -> IPv4Address:
    """An address; of a server, the one in the same network as the start, else the first."""
    try:
        return IPv4Address(text)
    except AddressValueError:
        pass
    server = find_server(topology, text)
    if start is None:
        return address_outside(topology, server)
    found = starts(topology, server)
    if not found:
        raise BadInput(f"{server.name} has no address.", evidence=[f"nova: it is {server.status}"])
    near = next((one for one in found if one.port.network == start.port.network), None)
    return (near or found[0]).address


def _address(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except AddressValueError as error:
        raise BadInput(f"{text!r} is no IPv4 address.", evidence=[str(error)]) from None
