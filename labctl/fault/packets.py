"""Packet filters in a node's namespace: what firewalls of the field do to VXLAN, to messages, to frames in bridges.

The machine's own tables are never touched; a node's are its own, and so is the lab's in the machine's filter.
"""

from labctl.fault.change import Change
from labctl.fault.fault import Where, fault
from labctl.fault.scene import Scene
from labctl.lab.devices import CHAINS
from labctl.lab.names import filter_table

VXLAN = "INPUT --protocol udp --dport 8472 --jump DROP"
REJECT = "--jump REJECT --reject-with icmp-host-prohibited"
DEFAULT_FIREWALL = (
    "INPUT --match conntrack --ctstate RELATED,ESTABLISHED --jump ACCEPT",
    "INPUT --protocol icmp --jump ACCEPT",
    "INPUT --in-interface lo --jump ACCEPT",
    "INPUT --protocol tcp --match conntrack --ctstate NEW --dport 22 --jump ACCEPT",
    f"INPUT {REJECT}",
)
"""What iptables-services of RHEL and its kin has come with for many years."""
SECURITY_GROUPS = f"FORWARD --jump {CHAINS}FORWARD"


def added(*rules: str) -> str:
    """A script that adds rules at the end of their chains."""
    return "; ".join(f"iptables --append {rule}" for rule in rules)


def removed(*rules: str) -> str:
    """A script that removes rules as often as they are there."""
    return "; ".join(
        f"while iptables --check {rule} 2> /dev/null; do iptables --delete {rule}; done" for rule in reversed(rules)
    )


@fault(
    "vxlan-dropped",
    title="A node drops the VXLAN packets of the others",
    does="iptables in the node: the first rule of INPUT drops UDP 8472.",
    where=Where.NODE,
    verdict="vxlan-dropped",
)
def vxlan_dropped(scene: Scene) -> Change:
    """Servers there get no address and reach nobody; the node itself is well."""
    return Change(
        inject=(scene.in_node(f"iptables --insert {VXLAN}"),),
        clear=(scene.in_node(removed(VXLAN)),),
    )


@fault(
    "input-reject",
    title="A node with a distribution's firewall",
    does="iptables in the node: INPUT lets answers, ICMP and ssh in and rejects the rest, VXLAN with it.",
    where=Where.NODE,
    verdict="vxlan-dropped",
)
def input_reject(scene: Scene) -> Change:
    """The second walkthrough's night: pings work, ssh works, VXLAN does not."""
    return Change(inject=(scene.in_node(added(*DEFAULT_FIREWALL)),), clear=(scene.in_node(removed(*DEFAULT_FIREWALL)),))


@fault(
    "forward-reject",
    title="A node that rejects what it should forward",
    does="iptables in the node: the last rule of FORWARD rejects, and frames in bridges go through it, too.",
    where=Where.NODE,
    verdict="node-forward",
)
def forward_reject(scene: Scene) -> Change:
    """The other half of the same default firewall."""
    rule = f"FORWARD {REJECT}"
    return Change(inject=(scene.in_node(added(rule)),), clear=(scene.in_node(removed(rule)),))


@fault(
    "forward-policy-drop",
    title="A node whose policy is to forward nothing",
    does="iptables in the node: the policy of FORWARD becomes DROP, as Docker makes it on a machine.",
    where=Where.NODE,
    verdict="node-forward",
)
def forward_policy_drop(scene: Scene) -> Change:
    """What no rule lets through."""
    return Change(
        inject=(scene.in_node("iptables --policy FORWARD DROP"),),
        clear=(scene.in_node("iptables --policy FORWARD ACCEPT"),),
    )


@fault(
    "broker-partition",
    title="A node that the message broker is cut off from",
    does="iptables in the node: the first rule of OUTPUT drops TCP to the broker's port.",
    where=Where.NODE,
    verdict="node-firewall",
)
def broker_partition(scene: Scene) -> Change:
    """Its services run and are healthy at first; after a minute nova and neutron call them down."""
    rule = f"OUTPUT --protocol tcp --dport {scene.broker_port} --jump DROP"
    return Change(
        inject=(scene.in_node(f"iptables --insert {rule}"),),
        clear=(scene.in_node(removed(rule)),),
    )


@fault(
    "security-groups-bypassed",
    title="A node whose servers no security group protects",
    does="iptables in the node: FORWARD no longer leads to Neutron's chain.",
    where=Where.NODE,
    verdict="security-groups-bypassed",
)
def security_groups_bypassed(scene: Scene) -> Change:
    """The agent looks at its rules when a port changes, not before."""
    return Change(
        inject=(scene.in_node(removed(SECURITY_GROUPS)),),
        clear=(scene.in_node(f"iptables --check {SECURITY_GROUPS} 2> /dev/null || {added(SECURITY_GROUPS)}"),),
    )


@fault(
    "arp-dropped",
    title="Rules of ebtables that somebody forgot",
    does="ebtables in the node: the first rule of FORWARD drops ARP.",
    where=Where.NODE,
    verdict="ebtables-leftovers",
)
def arp_dropped(scene: Scene) -> Change:
    """Iptables shows nothing of it."""
    rule = "ebtables --table filter --delete FORWARD --protocol ARP --jump DROP"
    there = "ebtables-save | grep --quiet -- '-A FORWARD -p ARP -j DROP'"
    return Change(
        inject=(scene.in_node("ebtables --table filter --insert FORWARD --protocol ARP --jump DROP"),),
        clear=(scene.in_node(f"while {there}; do {rule}; done"),),
    )


@fault(
    "table-flushed",
    title="Somebody flushed the machine's packet filter",
    does="nft: the lab's own table is deleted, as `nft flush ruleset` does with all.",
    where=Where.LAB,
    verdict="lab-unfiltered",
)
def table_flushed(scene: Scene) -> Change:
    """Everything works; and others reach what is not for them."""
    table = filter_table(scene.lab)
    return Change(
        inject=(scene.inside("filter", f"nft delete table inet {table}"),),
        clear=(scene.docker("restart", scene.container("filter")),),
    )


@fault(
    "node-table-flushed",
    title="Somebody flushed a node's packet filter",
    does="nft in the node: labctl's table is deleted, and Neutron's rules stay.",
    where=Where.NODE,
    verdict="node-unfiltered",
)
def node_table_flushed(scene: Scene) -> Change:
    """Everything works; and servers reach the management network as far as the machine forwards it."""
    return Change(
        inject=(scene.in_node("nft delete table inet labctl-node"),),
        clear=(scene.in_node("nft -f /etc/filter/node.nft"),),
    )


FAULTS = (
    vxlan_dropped,
    input_reject,
    forward_reject,
    forward_policy_drop,
    broker_partition,
    security_groups_bypassed,
    arp_dropped,
    table_flushed,
    node_table_flushed,
)
