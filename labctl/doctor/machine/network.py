"""Whether the machine's own network leaves the lab's in peace: ranges, packet filters, MTU."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from labctl.doctor.check import Evidence, check, refusal
from labctl.doctor.iptables import Packet, dropped_by, parse
from labctl.doctor.machine.facts import LabDevice, MachineFacts
from labctl.lab.addresses import FIRST_NODE

VXLAN_PORT = 8472
"""The kernel's own default, which neutron's Linux bridge agent takes (neutron/plugins/ml2/drivers/linuxbridge)."""
FULL_MTU = 1500
"""What Neutron is told of the lab's networks: servers in VXLAN networks get 50 less."""
FILTERS = ("iptables (nf_tables)", "iptables (legacy)")


@check(
    "address-range",
    title="The lab's addresses lead somewhere else",
    why="Packets for the lab's services or floating IPs leave by another device, such as a VPN's, and are lost.",
    remedy="End the VPN, or give the lab another range: `labctl down`, then `address_range` in the lab file.",
)
def address_range(facts: MachineFacts) -> Iterator[Evidence]:
    """Routes into the lab's range that lead to a device that is not the lab's."""
    if facts.range_refusal:
        yield refusal(facts.range_refusal)
    if facts.address_range is None:
        return
    own = {device.name for device in facts.devices}
    for route in facts.routes:
        if route.device not in own and route.destination.prefixlen and route.destination.overlaps(facts.address_range):
            line = f"{route.destination} leads to {route.device}, and the lab has {facts.address_range}"
            # A wider route loses against the lab's own, which is more specific: it is in nobody's way.
            is_error = route.destination.prefixlen >= facts.address_range.prefixlen or not own
            yield Evidence((line,), is_error=is_error)


@check(
    "firewall-input",
    title="The machine's firewall keeps nodes from the control plane",
    why="Services of nodes cannot reach Keystone, Neutron or Nova: agents do not come up, or look dead.",
    remedy="Let the lab's bridges in before that rule: `iptables -I INPUT -i DEVICE -j ACCEPT`, with the device that "
    "is named; or in the tool that made the rule (firewalld: zone trusted; ufw: `ufw allow in on DEVICE`).",
)
def firewall_input(facts: MachineFacts) -> Iterator[Evidence]:
    """A node's first packet to each port of the control plane that it may ask, through the chain INPUT."""
    mgmt = facts.device("mgmt")
    if mgmt is None:
        return
    found: dict[tuple[str, str], list[int]] = {}
    for name, saved in zip(FILTERS, facts.filters, strict=False):
        filter_ = parse(saved)
        for port in sorted(facts.asked_ports):
            rule = dropped_by(filter_, "INPUT", Packet(mgmt.name, "", _node(mgmt), mgmt.gateway, "tcp", port))
            if rule:
                found.setdefault((name, rule), []).append(port)
    for (name, rule), ports in found.items():
        line = f"{name}: {rule}"
        listed = ", ".join(str(port) for port in ports)
        yield Evidence((line, f"drops what comes from {mgmt.name} ({mgmt.subnet}) to tcp {listed} of {mgmt.gateway}"))


@check(
    "firewall-forward",
    title="The machine's firewall drops packets between nodes",
    why="With br_netfilter also packets that stay in a bridge go through iptables: nodes lose each other, VXLAN and "
    "messages first.",
    remedy="`iptables -I DOCKER-USER -i DEVICE -o DEVICE -j ACCEPT`, with the device that is named; Docker leaves that "
    "chain to the machine's owner.",
)
def firewall_forward(facts: MachineFacts) -> Iterator[Evidence]:
    """Packets from node to node through the chain FORWARD: messages, VXLAN, the provider network."""
    # Before there is a lab the rules are not there that Docker makes for its bridges.
    if not facts.limits.filters_bridges or not facts.is_up:
        return
    messages = ("mgmt", "tcp", facts.broker_port)
    for network, protocol, port in (messages, ("tunnel", "udp", VXLAN_PORT), ("provider", "icmp", 0)):
        device = facts.device(network)
        if device is None:
            continue
        for name, saved in zip(FILTERS, facts.filters, strict=False):
            packet = Packet(device.name, device.name, _node(device), _node(device, 1), protocol, port)
            if rule := dropped_by(parse(saved), "FORWARD", packet):
                what = f"{protocol} {port}" if port else protocol
                yield Evidence((f"{name}: {rule}", f"drops {what} within {device.name} ({device.subnet})"))


@check(
    "mtu",
    title="The lab's networks carry only small packets",
    why="Neutron gives servers an MTU for a tunnel of 1500: larger packets vanish, and connections hang at their first "
    "full segment while pings work.",
    remedy='Set "default-network-opts" or "mtu" of /etc/docker/daemon.json back to 1500, then `labctl down '
    "--keep-data` and `labctl up`.",
)
def mtu(facts: MachineFacts) -> Iterator[Evidence]:
    """The MTU of the lab's bridges."""
    for device in facts.devices:
        if 0 < device.mtu < FULL_MTU:
            yield Evidence((f"{device.name} ({device.network}) has an MTU of {device.mtu}, and {FULL_MTU} is needed",))


def _node(device: LabDevice, number: int = 0) -> IPv4Address:
    """The address of a node."""
    return device.subnet[FIRST_NODE + number]


CHECKS = (address_range, firewall_input, firewall_forward, mtu)
