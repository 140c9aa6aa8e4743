"""The packet filters in the namespaces of nodes: what drops the lab's own traffic, and what must be there."""

import re
import shlex
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address

from labctl.doctor.check import Evidence, check
from labctl.doctor.iptables import Filter, Packet, dropped_by, parse
from labctl.doctor.lab.facts import LabFacts
from labctl.doctor.lab.links import fix_in_node
from labctl.findings import Fix
from labctl.lab.addresses import Node, Role
from labctl.lab.devices import CHAINS, port_chain

VXLAN_PORT = 8472
"""The kernel's own default, which neutron's Linux bridge agent takes (neutron/plugins/ml2/drivers/linuxbridge)."""
API_PORTS = (5000, 8778, 9696)
"""Of the control plane, that services of nodes ask: Keystone, placement, Neutron."""
SERVED = ((5900, "consoles"), (16514, "moves of servers"))
"""What compute nodes listen on: QEMU for the consoles' proxy, libvirt for the other nodes."""


def nodes_with_filters(facts: LabFacts) -> Iterator[tuple[Node, Filter]]:
    """The nodes that could be looked at."""
    for node in facts.plan:
        if node.name in facts.networks:
            yield node, parse(facts.networks[node.name].filter)


def removal(facts: LabFacts, node: str, rule: str) -> Fix | None:
    """What removes a rule, or a policy, from a built-in chain; chains of Neutron's are its own."""
    policy = re.fullmatch(r"-P (INPUT|FORWARD|OUTPUT) DROP", rule)
    if policy:
        return fix_in_node(facts, node, f"accept in {policy[1]}", "iptables", "-P", policy[1], "ACCEPT")
    if re.match(r"-A (INPUT|FORWARD|OUTPUT) ", rule):
        return fix_in_node(facts, node, f"remove the rule {rule!r}", "iptables", "-D", *shlex.split(rule)[1:])
    return None


def dropped(facts: LabFacts, node: str, rules: Iterable[tuple[str | None, str]]) -> Iterator[Evidence]:
    """One piece of evidence for each rule that drops something, with all that it drops."""
    found: dict[str, list[str]] = {}
    for rule, what in rules:
        if rule:
            found.setdefault(rule, []).append(what)
    for rule, whats in found.items():
        yield Evidence((f"{node}: {rule}", f"drops {', '.join(whats)}"), fix=removal(facts, node, rule))


@check(
    "vxlan-dropped",
    title="A node that drops VXLAN",
    why="The packets of servers travel between nodes in UDP 8472: without it they get no address and reach nobody, "
    "while the nodes themselves reach each other.",
    remedy="Remove the rule, or accept UDP 8472 before it: `iptables -I INPUT -p udp --dport 8472 -j ACCEPT`.",
)
def vxlan_dropped(facts: LabFacts) -> Iterator[Evidence]:
    """A VXLAN packet from another node, and one to it, through the node's filter."""
    for node, filter_ in nodes_with_filters(facts):
        peer = next((one for one in facts.plan if one.name != node.name), None)
        if peer is None:
            continue
        comes = Packet("tunnel0", "", peer.tunnel, node.tunnel, "udp", VXLAN_PORT)
        goes = Packet("", "tunnel0", node.tunnel, peer.tunnel, "udp", VXLAN_PORT)
        rules = (
            (dropped_by(filter_, "INPUT", comes), "VXLAN from other nodes"),
            (dropped_by(filter_, "OUTPUT", goes), "VXLAN to other nodes"),
        )
        yield from dropped(facts, node.name, rules)


@check(
    "node-firewall",
    title="A node's firewall drops what its services need",
    why="Agents and nova-compute lose the broker or the APIs and are called dead; consoles and moves of servers fail.",
    remedy="Remove the rule, or accept the lab's management network before it.",
)
def node_firewall(facts: LabFacts) -> Iterator[Evidence]:
    """First packets to the broker and the APIs, of consoles, and of libvirt, through the node's filter."""
    for node, filter_ in nodes_with_filters(facts):
        gateway, broker = IPv4Address(facts.gateway), IPv4Address(facts.broker)
        out = [(broker, facts.broker_port), *((gateway, port) for port in API_PORTS)]
        rules = []
        for target, port in out:
            packet = Packet("", "mgmt0", node.mgmt, target, "tcp", port)
            rules.append((dropped_by(filter_, "OUTPUT", packet), f"tcp to {target}:{port}"))
        for port, what in SERVED if node.role is Role.COMPUTE else ():
            packet = Packet("mgmt0", "", gateway, node.mgmt, "tcp", port)
            rules.append((dropped_by(filter_, "INPUT", packet), f"{what} (tcp {port})"))
        yield from dropped(facts, node.name, rules)


@check(
    "node-forward",
    title="A node that does not forward",
    why="With br_netfilter frames in bridges go through FORWARD as well: what no rule accepts before is lost, first of "
    "all the provider network with its floating IPs.",
    remedy="Remove the rule; `iptables -P FORWARD ACCEPT`. Security groups have chains of their own.",
)
def node_forward(facts: LabFacts) -> Iterator[Evidence]:
    """A frame in the bridge of the node's uplink."""
    outside, inside = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
    frame = Packet("uplink", "uplink", outside, inside, "icmp", port_in="port-uplink", port_out="provider-port")
    for node, filter_ in nodes_with_filters(facts):
        yield from dropped(facts, node.name, [(dropped_by(filter_, "FORWARD", frame), "frames in the bridge uplink")])


@check(
    "node-unfiltered",
    title="A node without labctl's table in its packet filter",
    why="Its servers reach the lab's management network, and other nodes what listens on it.",
    remedy="`nft -f /etc/filter/node.nft` in the node puts it in place again.",
)
def node_unfiltered(facts: LabFacts) -> Iterator[Evidence]:
    """The node's namespace."""
    for node, network in facts.networks.items():
        if not network.table:
            fix = fix_in_node(facts, node, "put the table in place", "nft", "-f", "/etc/filter/node.nft")
            yield Evidence((f"{node}: there is no table inet labctl-node",), fix=fix)


@check(
    "security-groups-bypassed",
    title="Servers that no security group protects",
    why="Whatever their security groups say, everybody reaches them.",
    remedy="`docker restart LAB-NODE-linuxbridge-agent`: the agent writes its chains anew.",
)
def security_groups_bypassed(facts: LabFacts) -> Iterator[Evidence]:
    """The way from FORWARD to Neutron's chain, and the chains of servers' ports."""
    for node, filter_ in nodes_with_filters(facts):
        if not any(rule.target == f"{CHAINS}FORWARD" for rule in filter_.chains.get("FORWARD", ())):
            if f"{CHAINS}FORWARD" in filter_.chains:
                yield Evidence((f"{node.name}: FORWARD does not lead to {CHAINS}FORWARD",))
            continue
        for port in facts.wiring.on(node.name):
            if not port.is_secured or port.tap not in facts.networks[node.name].links:
                continue
            for direction, what in (("i", "goes to"), ("o", "comes from")):
                chain = port_chain(direction, port.id)
                if not filter_.chains.get(chain):
                    state = "is empty" if chain in filter_.chains else "is not there"
                    yield Evidence((f"{node.name}: {chain} {state}: of what {what} {port.tap}",))


@check(
    "ebtables-leftovers",
    title="Rules of ebtables that nobody in the lab made",
    why="They drop or change frames where neither iptables nor Neutron shows anything; an old nova-network, or a "
    "night of looking for a fault, leaves such rules.",
    remedy="`ebtables-save` on the node shows them; `ebtables -t TABLE -D RULE` removes one.",
)
def ebtables_leftovers(facts: LabFacts) -> Iterator[Evidence]:
    """Rules and policies that are not of Neutron's protection against spoofing."""
    for node, network in facts.networks.items():
        table = ""
        for line in network.frames.splitlines():
            if line.startswith("*"):
                table = line[1:].strip()
            elif line.startswith(":") and line.endswith(" DROP") and "neutron" not in line:
                chain = line[1:].split()[0]
                fix = fix_in_node(facts, node, f"accept in {chain}", "ebtables", "-t", table, "-P", chain, "ACCEPT")
                yield Evidence((f"{node}: table {table}: -P {chain} DROP",), fix=fix)
            elif line.startswith("-A ") and "neutron" not in line:
                rule = ("-D", *line.split()[1:])
                fix = fix_in_node(facts, node, f"remove the rule {line!r}", "ebtables", "-t", table, *rule)
                yield Evidence((f"{node}: table {table}: {line}",), fix=fix)


CHECKS = (
    vxlan_dropped,
    node_firewall,
    node_forward,
    node_unfiltered,
    security_groups_bypassed,
    ebtables_leftovers,
)
