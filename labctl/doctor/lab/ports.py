"""Whether the kernels of nodes have what Neutron says: taps in bridges, tunnels, tables, routers."""

from collections.abc import Iterator

from labctl.cloud.topology import Port
from labctl.doctor.check import Evidence, check
from labctl.doctor.lab.facts import LabFacts
from labctl.doctor.lab.links import fix_in_node
from labctl.doctor.lab.node_network import Link, NodeNetwork
from labctl.lab.addresses import NETWORK_NODE
from labctl.lab.devices import router_namespace, vxlan


def taps(facts: LabFacts) -> Iterator[tuple[str, NodeNetwork, Port, Link]]:
    """The ports in use, with their node and their device there; what has none yet, or no more, is left out."""
    for node, network in facts.networks.items():
        for port in facts.wiring.on(node):
            if port.tap in network.links:
                yield node, network, port, network.links[port.tap]


def whose(port: Port) -> str:
    """A port, for people."""
    return f"the port {port.id} ({port.owner})"


@check(
    "port-unbridged",
    title="A port that is in no bridge, or in the wrong one",
    why="Its frames go nowhere; Neutron calls it ACTIVE, and a server gets no address.",
    remedy="`ip link set TAP master BRIDGE` on the node; or `docker restart LAB-NODE-linuxbridge-agent`, and "
    "`labctl logs NODE-linuxbridge-agent`.",
)
def port_unbridged(facts: LabFacts) -> Iterator[Evidence]:
    """Taps against the bridges of their networks."""
    for node, _, port, tap in taps(facts):
        if tap.master != port.bridge:
            where = f"in {tap.master}" if tap.master else "in no bridge"
            command = ("ip", "link", "set", tap.name, "master", port.bridge)
            fix = fix_in_node(facts, node, f"put {tap.name} into {port.bridge}", *command)
            yield Evidence((f"{node}: {tap.name} is {where}, not in {port.bridge}: {whose(port)}",), fix=fix)


@check(
    "port-mtu",
    title="A port that takes smaller packets than its network",
    why="The server was told the network's MTU by DHCP: larger packets than the port takes do not reach it.",
    remedy="`ip link set TAP mtu MTU` on the node.",
)
def port_mtu(facts: LabFacts) -> Iterator[Evidence]:
    """Taps against their networks."""
    for node, _, port, tap in taps(facts):
        network = facts.wiring.networks.get(port.network)
        if network and tap.mtu < network.mtu:
            line = f"{node}: {tap.name} takes {tap.mtu} bytes, {network.name} has {network.mtu}: {whose(port)}"
            command = ("ip", "link", "set", tap.name, "mtu", str(network.mtu))
            yield Evidence((line,), fix=fix_in_node(facts, node, f"set the MTU of {tap.name}", *command))


@check(
    "fdb-wrong-port",
    title="A bridge that was told the wrong port for a server",
    why="Frames for the server leave by that port. A static entry stays, whatever the server sends.",
    remedy="`bridge fdb delete MAC dev DEVICE master` on the node.",
)
def fdb_wrong_port(facts: LabFacts) -> Iterator[Evidence]:
    """Static entries for MAC addresses of the node's own ports, at other devices than their taps."""
    for node, network, port, tap in taps(facts):
        for one in network.fdb:
            if one.is_static and (one.bridge, one.mac) == (port.bridge, port.mac) and one.device != tap.name:
                line = f"{node}: {one.bridge} has a static entry: {one.mac} is behind {one.device}"
                command = ("bridge", "fdb", "delete", one.mac, "dev", one.device, "master")
                fix = fix_in_node(facts, node, f"delete the entry for {one.mac}", *command)
                yield Evidence((line, f"it is behind {tap.name}: {whose(port)}"), fix=fix)


@check(
    "vxlan-missing",
    title="A network without its tunnel on a node",
    why="Servers of that network on the node reach nobody on other nodes: no DHCP, no router, no metadata.",
    remedy="`docker restart LAB-NODE-linuxbridge-agent`: the agent makes it anew.",
)
def vxlan_missing(facts: LabFacts) -> Iterator[Evidence]:
    """The VXLAN devices of the networks that have ports on the node."""
    said = set()
    for node, links, port, tap in taps(facts):
        network = facts.wiring.networks.get(port.network)
        if network is None or network.type != "vxlan" or tap.master != port.bridge or (node, port.bridge) in said:
            continue
        said.add((node, port.bridge))
        device = vxlan(network.segment)
        link = links.links.get(device)
        if link is None or link.master != port.bridge:
            state = f"is in {link.master or 'no bridge'}" if link else "is not there"
            line = f"{node}: {device} of the network {network.name} {state}; it belongs into {port.bridge}"
            yield Evidence((line,))


@check(
    "router-broken",
    title="A router that does not route",
    why="Servers behind it reach nothing outside of their network, and floating IPs do not answer.",
    remedy="`labctl openstack router set --disable ROUTER`, and then `--enable`: the L3 agent makes it anew.",
)
def router_broken(facts: LabFacts) -> Iterator[Evidence]:
    """Forwarding and the default route, in the namespaces of the routers that lead outside."""
    network = facts.networks.get(NETWORK_NODE)
    for router, state in network.routers.items() if network else ():
        if not state.forwards:
            yield Evidence((f"{NETWORK_NODE}: net.ipv4.ip_forward is 0 in {router_namespace(router)}",))
        if not state.default_route:
            yield Evidence((f"{NETWORK_NODE}: {router_namespace(router)} has no default route",))


CHECKS = (port_unbridged, port_mtu, fdb_wrong_port, vxlan_missing, router_broken)
