"""A node's own links, and what bridges have learned of them: its NICs, its bridges, its end of the tunnels."""

from collections.abc import Iterator

from labctl.doctor.check import Evidence, check
from labctl.doctor.lab.facts import LabFacts
from labctl.findings import Fix
from labctl.lab.devices import VXLAN

FULL_MTU = 1500
VXLAN_BYTES = 50
"""What VXLAN adds to a packet: Ethernet 14, IPv4 20, UDP 8, VXLAN 8 (RFC 7348)."""
TUNNEL_LINKS = ("tunnel0", "port-tunnel0")
NODE_LINKS = ("mgmt0", "port-mgmt0", *TUNNEL_LINKS, "uplink", "port-uplink", "provider-port", "provider0")
"""As hold-namespace of the image neutron-agents makes them."""


def fix_in_node(facts: LabFacts, node: str, what: str, *command: str) -> Fix:
    """A command in a node's network namespace that mends something."""
    return Fix(f"{what} on {node}", ("docker", "exec", f"{facts.name}-{node}", "in-node", *command))


@check(
    "address-on-port",
    title="A NIC that is in a bridge has an address itself",
    why="The kernel answers for that address from the NIC, while the NIC's frames go to the bridge: replies are lost, "
    "and the node has two routes into one network.",
    remedy="`ip address flush dev DEVICE` on the node; the address belongs to the bridge, if anywhere.",
)
def address_on_port(facts: LabFacts) -> Iterator[Evidence]:
    """Ports of bridges with an IPv4 address."""
    for node, network in facts.networks.items():
        for link in network.links.values():
            if link.master and link.addresses:
                line = f"{node}: {link.name} is in the bridge {link.master} and has {', '.join(link.addresses)}"
                what = f"take the address off {link.name}"
                fix = fix_in_node(facts, node, what, "ip", "-4", "address", "flush", "dev", link.name)
                yield Evidence((line,), fix=fix)


@check(
    "port-down",
    title="A link that is switched off",
    why="Nothing passes there, and what hangs on it looks as if it were well.",
    remedy="`ip link set DEVICE up` on the node.",
)
def port_down(facts: LabFacts) -> Iterator[Evidence]:
    """The node's own links, and the taps, bridges and tunnels of ports that are in use."""
    for node, network in facts.networks.items():
        used = [name for port in facts.wiring.on(node) for name in (port.tap, port.bridge)]
        for name in dict.fromkeys((*NODE_LINKS, *used)):
            link = network.links.get(name)
            if link and not link.is_up:
                within = f", of the bridge {link.master}," if link.master else ""
                fix = fix_in_node(facts, node, f"switch {name} on", "ip", "link", "set", name, "up")
                yield Evidence((f"{node}: {name}{within} is down",), fix=fix)


@check(
    "overlay-mtu",
    title="A tunnel network that is too small for what goes through it",
    why="Full packets of servers vanish between nodes: connections hang after the first bytes, pings work.",
    remedy="`ip link set DEVICE mtu 1500` on the node, or networks with a smaller MTU.",
)
def overlay_mtu(facts: LabFacts) -> Iterator[Evidence]:
    """The MTU of the tunnel's links against that of the VXLAN networks."""
    mtus = [one.mtu for one in facts.wiring.networks.values() if one.type == "vxlan"]
    needed = max(mtus) + VXLAN_BYTES if mtus else FULL_MTU
    for node, network in facts.networks.items():
        small = [link for name in TUNNEL_LINKS if (link := network.links.get(name)) and link.mtu < needed]
        if small:
            found = ", ".join(f"{link.name} {link.mtu}" for link in small)
            yield Evidence((f"{node}: the MTU of {found}; servers' packets in VXLAN need {needed}",))


@check(
    "node-address",
    title="A node without its address",
    why="VXLAN packets and messages leave from these addresses, and the other nodes send there.",
    remedy="`docker restart LAB-NODE`: the node's holder gives its bridges their addresses.",
)
def node_address(facts: LabFacts) -> Iterator[Evidence]:
    """The addresses of the plan against those of the bridges."""
    for node in facts.plan:
        network = facts.networks.get(node.name)
        for device, address in (("mgmt0", node.mgmt), ("tunnel0", node.tunnel)) if network else ():
            link = network.links.get(device) if network else None
            if link is None or str(address) not in {one.partition("/")[0] for one in link.addresses}:
                has = (", ".join(link.addresses) or "no address") if link else "does not exist"
                yield Evidence((f"{node.name}: {device} must have {address}: {has}",))


@check(
    "neighbour-wrong",
    title="A neighbour that somebody wrote down wrongly",
    why="The kernel never asks about a static entry: packets for that node go to a MAC address that is not its own.",
    remedy="`ip neighbour delete ADDRESS dev DEVICE` on the node.",
)
def neighbour_wrong(facts: LabFacts) -> Iterator[Evidence]:
    """Static entries against the MAC addresses that the other nodes have."""
    right = {
        str(address): link.mac
        for node in facts.plan
        for device, address in (("mgmt0", node.mgmt), ("tunnel0", node.tunnel))
        if (network := facts.networks.get(node.name)) and (link := network.links.get(device))
    }
    for node_name, network in facts.networks.items():
        for one in network.neighbours:
            if one.mac != right.get(one.address, one.mac):
                line = f"{node_name}: {one.address} dev {one.device} is {one.mac} for ever; it is {right[one.address]}"
                command = ("ip", "neighbour", "delete", one.address, "dev", one.device)
                yield Evidence((line,), fix=fix_in_node(facts, node_name, f"forget {one.address}", *command))


@check(
    "uplink-reflects",
    title="An uplink that sends frames back to where they came from",
    why="A frame that comes back makes the bridge learn the MAC address of its own server behind the uplink. The reply "
    "then comes in by the port behind which its target is said to be, and a bridge sends nothing back out of the port "
    "that it came in by: replies vanish, whatever iptables or ebtables say.",
    remedy="Have the switch (of the cloud that the machine is a guest of) send nothing back: no hairpin or reflective "
    "relay on that port. Else, on the node: `bridge link set dev UPLINK learning off`, and "
    "`bridge fdb flush dev UPLINK master dynamic`.",
)
def uplink_reflects(facts: LabFacts) -> Iterator[Evidence]:
    """Ports in hairpin mode, and MAC addresses of the node's own ports that were learned behind the uplink."""
    for node, network in facts.networks.items():
        for link in network.links.values():
            if link.hairpin:
                command = ("bridge", "link", "set", "dev", link.name, "hairpin", "off")
                fix = fix_in_node(facts, node, f"take {link.name} out of hairpin mode", *command)
                line = f"{node}: {link.name}, a port of {link.master}, is in hairpin mode: it reflects what it gets"
                yield Evidence((line,), fix=fix)
        own = {(port.bridge, port.mac): port for port in facts.wiring.on(node) if port.tap in network.links}
        for one in network.fdb:
            port = own.get((one.bridge, one.mac))
            # Behind a tunnel is where a server was until it moved here: it has not sent anything since.
            if port and not one.is_static and one.device != port.tap and not one.device.startswith(VXLAN):
                line = f"{node}: {one.bridge} has learned {one.mac} behind {one.device}; it is behind {port.tap}"
                command = ("bridge", "fdb", "delete", one.mac, "dev", one.device, "master")
                fix = fix_in_node(facts, node, f"have {one.bridge} learn {one.mac} anew", *command)
                yield Evidence((line,), fix=fix)


CHECKS = (address_on_port, port_down, overlay_mtu, node_address, neighbour_wrong, uplink_reflects)
