"""The way that a packet should take: what neutron says, walked through the devices that its agents make. Pure."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from labctl.cloud.topology import GATEWAY_PORT, ROUTER_PORTS, Network, Port, Router, Subnet, Topology
from labctl.errors import BadInput
from labctl.lab import devices
from labctl.trace.hops import Addresses, Hop, Kind, Origin, Path
from labctl.trace.kernel import HOST, Kernels, Place

NODE = "node"
"""The namespace of a node, as `hold-namespace` of the agents' image calls it."""
UNKNOWN = "?"
"""In place of a device that cannot be found."""


@dataclass(frozen=True)
class Start:
    """A server's address."""

    port: Port
    address: IPv4Address


def path_from_server(topology: Topology, kernels: Kernels, start: Start, target: IPv4Address) -> Path:
    """The way from a server.

    Args:
        topology: What neutron says.
        kernels: What the kernels say, of at least the nodes and the host: how nodes and host are connected.
        start: The server's address.
        target: Where to.

    Raises:
        BadInput: No packet could go that way: no gateway, no router, an address that nobody has.
    """
    port = start.port
    walk = _Walk(topology, kernels, Addresses(start.address, target))
    subnet = _subnet_of(topology, start)
    walk.leave_guest(port)
    next_address = target if target in subnet.range else _gateway(subnet, target)
    next_port = topology.port_with(next_address, port.network)
    walk.deliver(port.node, port.network, next_address)
    origin = Origin(Place(port.node, NODE), port.tap, port.mac, next_port.mac if next_port else "", next_address)
    return walk.path(origin, Addresses(start.address, target), sender=port.id)


def path_from_host(topology: Topology, kernels: Kernels, source: IPv4Address, target: IPv4Address) -> Path:
    """The way from the host, on the provider network, to a floating IP or a server there.

    Raises:
        BadInput: Nobody has that address there.
    """
    walk = _Walk(topology, kernels, Addresses(source, target))
    subnet = next((one for one in topology.subnets if target in one.range and walk.is_outside(one.network)), None)
    if subnet is None:
        raise BadInput(
            f"The host does not reach {target} over the provider network.",
            remedy="Give the server a floating IP: `labctl openstack floating ip create --port PORT NETWORK`.",
        )
    route = kernels.at(Place(HOST)).route_to(target)
    device = route.device if route else UNKNOWN
    walk.add("the host's bridge", Kind.END, Place(HOST), device, leaves=True)
    walk.deliver(HOST, subnet.network, target)
    return walk.path(Origin(Place(HOST), next_address=target), Addresses(source, target))


def _subnet_of(topology: Topology, start: Start) -> Subnet:
    return topology.subnet(next(one.subnet for one in start.port.addresses if one.address == start.address))


def _gateway(subnet: Subnet, target: IPv4Address) -> IPv4Address:
    if subnet.gateway is None:
        raise BadInput(f"{target} is not in {subnet.range}, and that subnet has no gateway.")
    return subnet.gateway


class _Walk:
    """Goes from place to place and notes the hops; the addresses are those of the packet where it is now."""

    def __init__(self, topology: Topology, kernels: Kernels, addresses: Addresses) -> None:
        self.topology = topology
        self.kernels = kernels
        self.addresses = addresses
        self.hops: list[Hop] = []
        self.networks: list[Network] = []
        self.receiver = ""

    def path(self, origin: Origin, addresses: Addresses, sender: str = "") -> Path:
        mtu = min((one.mtu for one in self.networks), default=1500)
        return Path(self.title(sender, addresses), origin, tuple(self.hops), addresses, mtu)

    def title(self, sender: str, addresses: Addresses) -> str:
        """From whom to whom, with the names of servers."""
        ports = {one.id: one for one in self.topology.ports}
        servers = [self.topology.server_of(ports[id]) if id in ports else None for id in (sender, self.receiver)]
        names = [
            f"{one.name} ({address})" if one else str(address)
            for one, address in zip(servers, (addresses.source, addresses.target), strict=True)
        ]
        return " to ".join(names)

    def add(
        self, name: str, kind: Kind, place: Place, device: str, *, leaves: bool = False, vni: int | None = None,
        port: str = "", bridge: str = "",
    ) -> None:  # fmt: skip
        self.hops.append(Hop(name, kind, place, device, leaves, self.addresses, vni, port, bridge))

    def is_outside(self, network: str) -> bool:
        """Whether a network is the provider's: its packets leave nodes unwrapped."""
        return self.topology.network(network).type in ("flat", "vlan")

    def leave_guest(self, port: Port) -> None:
        place = Place(port.node, NODE)
        server = self.topology.server_of(port)
        name = server.name if server else port.id[: devices.DEVICE_LETTERS]
        self.add(f"tap of {name}", Kind.TAP, place, port.tap, port=port.id)
        self.add("bridge", Kind.BRIDGE, place, port.bridge)
        if port.is_secured:
            bridge = port.bridge
            self.add(f"security groups of {name}, out", Kind.GROUP, place, port.tap, port=port.id, bridge=bridge)

    def enter_guest(self, port: Port) -> None:
        place = Place(port.node, NODE)
        server = self.topology.server_of(port)
        name = server.name if server else port.id[: devices.DEVICE_LETTERS]
        if port.is_secured:
            bridge = port.bridge
            self.add(f"security groups of {name}, in", Kind.GROUP, place, port.tap, port=port.id, bridge=bridge)
        self.add(f"tap of {name}", Kind.TAP, place, port.tap, leaves=True, port=port.id)
        self.receiver = port.id

    def deliver(self, node: str, network: str, address: IPv4Address) -> None:
        """From the bridge of a network on a node to whoever has an address in it, and what that does with it."""
        self.networks.append(self.topology.network(network))
        port = self.topology.port_with(address, network)
        floating = self.topology.floating_ip(address)
        router_port = self._gateway_port(floating.router, network) if floating and not port else port
        if floating and floating.fixed is None:
            raise BadInput(
                f"The floating IP {address} belongs to no port.", remedy="`labctl openstack floating ip set`."
            )
        if router_port and router_port.owner and not router_port.node:
            raise BadInput(
                f"{address} belongs to a port that is bound to no node.", evidence=[f"port {router_port.id}"]
            )
        if router_port is None or (port and not port.owner):
            self._to_outside(node, network, address)
        elif router_port.owner in (*ROUTER_PORTS, GATEWAY_PORT):
            self._cross(node, router_port.node, network)
            self._route(router_port)
        elif router_port.owner.startswith("compute:"):
            self._cross(node, router_port.node, network)
            self.enter_guest(router_port)
        else:
            self._cross(node, router_port.node, network)
            self._enter_namespace(router_port)

    def _gateway_port(self, router: str, network: str) -> Port | None:
        return next(
            (
                one
                for one in self.topology.ports
                if one.device == router and one.owner == GATEWAY_PORT and one.network == network
            ),
            None,
        )

    def _to_outside(self, node: str, network: str, address: IPv4Address) -> None:
        if not self.is_outside(network):
            raise BadInput(
                f"Nobody has the address {address} in the network {self.topology.network(network).name}.",
                remedy="`labctl openstack port list --long` shows who has which address.",
            )
        self._cross(node, HOST, network)
        kernel = self.kernels.at(Place(HOST))
        own = {one.ip: device for device in kernel.devices for one in device.addresses}
        target = self.addresses.target
        bridge = own[address].name if address in own else UNKNOWN
        self.add("the host's bridge", Kind.END, Place(HOST), bridge)
        if target not in own and target != address:
            route = kernel.route_to(target)
            self.add("the host's filter", Kind.FILTER, Place(HOST), bridge)
            self.add("the way out of the host", Kind.END, Place(HOST), route.device if route else UNKNOWN, leaves=True)

    def _enter_namespace(self, port: Port) -> None:
        """The address of a DHCP server."""
        self.add("tap", Kind.TAP, Place(port.node, NODE), port.tap, leaves=True)
        namespace = f"qdhcp-{port.network}"
        self.add("DHCP server", Kind.END, Place(port.node, namespace), devices.dhcp_device(port.id), port=port.id)

    # Between nodes.

    def _cross(self, here: str, there: str, network: str) -> None:
        """From a network's bridge on a node, or from the host, to its bridge on another, or to the host."""
        if here == there:
            return
        one = self.topology.network(network)
        if here != HOST:
            self._out(here, one)
        if there != HOST:
            self._in(there, one)
            self.add("bridge", Kind.BRIDGE, Place(there, NODE), devices.bridge(network))

    def _out(self, node: str, network: Network) -> None:
        place, vni = Place(node, NODE), network.segment
        if network.type == "vxlan":
            self.add(f"VXLAN {vni}", Kind.VXLAN, place, devices.vxlan(vni), leaves=True)
            self.add("tunnel address", Kind.NIC, place, "tunnel0", leaves=True, vni=vni)
            self.add("NIC", Kind.NIC, place, "port-tunnel0", leaves=True, vni=vni)
            self.add("the host's port", Kind.NIC, Place(HOST), self._host_port(node, "port-tunnel0"), vni=vni)
        else:
            self.add("provider NIC", Kind.NIC, place, _provider(network), leaves=True)
            self.add("its other end", Kind.NIC, place, "provider-port")
            self.add("NIC", Kind.NIC, place, "port-uplink", leaves=True)
            self.add("the host's port", Kind.NIC, Place(HOST), self._host_port(node, "port-uplink"))

    def _in(self, node: str, network: Network) -> None:
        place, vni = Place(node, NODE), network.segment
        if network.type == "vxlan":
            self.add(
                "the host's port", Kind.NIC, Place(HOST), self._host_port(node, "port-tunnel0"), leaves=True, vni=vni
            )
            self.add("NIC", Kind.NIC, place, "port-tunnel0", vni=vni)
            self.add("tunnel address", Kind.NIC, place, "tunnel0", vni=vni)
            self.add(f"VXLAN {vni}", Kind.VXLAN, place, devices.vxlan(vni))
        else:
            self.add("the host's port", Kind.NIC, Place(HOST), self._host_port(node, "port-uplink"), leaves=True)
            self.add("NIC", Kind.NIC, place, "port-uplink")
            self.add("provider NIC's port", Kind.NIC, place, "provider-port", leaves=True)
            self.add("provider NIC", Kind.NIC, place, _provider(network))

    def _host_port(self, node: str, link: str) -> str:
        """The host's end of a node's link: the device whose number the link names."""
        device = self.kernels.at(Place(node, NODE)).device(link)
        found = (one for one in self.kernels.at(Place(HOST)).devices if device and one.index == device.peer)
        other = next(found, None)
        return other.name if other else UNKNOWN

    # Routers.

    def _route(self, entry: Port) -> None:
        """Through the router that has a port, to where the packet goes next; or to an address of its own."""
        router = next(one for one in self.topology.routers if one.id == entry.device)
        inside = Place(entry.node, devices.router_namespace(router.id))
        is_gateway = entry.owner == GATEWAY_PORT
        self.add("tap of the router", Kind.TAP, Place(entry.node, NODE), entry.tap, leaves=True)
        device = devices.router_device(entry.id, is_gateway=is_gateway)
        self.add(f"router {router.name}", Kind.ROUTER, inside, device, port=entry.id)
        is_translated = self._translate_target(inside, device)
        exit_port, next_address = self._exit(router, self.addresses.target)
        if exit_port is None:
            return
        leaving = exit_port.owner == GATEWAY_PORT
        if leaving or is_translated:
            self._translate_source(router, inside, to_own=leaving or not is_gateway)
        device = devices.router_device(exit_port.id, is_gateway=leaving)
        self.add(f"router {router.name}", Kind.ROUTER, inside, device, leaves=True, port=exit_port.id)
        self.add("tap of the router", Kind.TAP, Place(exit_port.node, NODE), exit_port.tap)
        self.add("bridge", Kind.BRIDGE, Place(exit_port.node, NODE), exit_port.bridge)
        self.deliver(exit_port.node, exit_port.network, next_address)

    def _exit(self, router: Router, target: IPv4Address) -> tuple[Port | None, IPv4Address]:
        """The port by which a router sends to an address, and the next address there; none where it is its own."""
        ports = [one for one in self.topology.ports if one.device == router.id and one.node]
        outside: tuple[Port, Subnet] | None = None
        for port in ports:
            for fixed in port.addresses:
                subnet = self.topology.subnet(fixed.subnet)
                if fixed.address == target:
                    return None, target
                if target in subnet.range:
                    return port, target
                if port.owner == GATEWAY_PORT:
                    outside = (port, subnet)
        if outside is None or outside[1].gateway is None:
            raise BadInput(
                f"The router {router.name} has no way to {target}.",
                evidence=["it has no external gateway" if outside is None else "the outside subnet has no gateway"],
                remedy=f"`labctl openstack router set --external-gateway NETWORK {router.name}`.",
            )
        return outside[0], outside[1].gateway

    def _translate_target(self, inside: Place, device: str) -> bool:
        floating = self.topology.floating_ip(self.addresses.target)
        if floating and floating.fixed and devices.router_namespace(floating.router) == inside.namespace:
            self.add(f"DNAT to {floating.fixed}", Kind.NAT, inside, device)
            self.addresses = Addresses(self.addresses.source, floating.fixed)
            return True
        return False

    def _translate_source(self, router: Router, inside: Place, to_own: bool) -> None:
        """The sender's floating IP, or the router's own address outside (neutron/agent/l3/router_info.py)."""
        source = self.addresses.source
        gateway = next(
            (one for one in self.topology.ports if one.device == router.id and one.owner == GATEWAY_PORT), None
        )
        own = gateway.addresses[0].address if gateway and router.translates and to_own else None
        floating = (one for one in self.topology.floating if one.fixed == source and one.router == router.id)
        address = next((one.address for one in floating), own)
        if address and gateway:
            self.add(f"SNAT to {address}", Kind.NAT, inside, devices.router_device(gateway.id, is_gateway=True))
            self.addresses = Addresses(address, self.addresses.target)


def _provider(network: Network) -> str:
    """The provider NIC, or its VLAN's device."""
    return "provider0" if network.type == "flat" else f"provider0.{network.segment}"
