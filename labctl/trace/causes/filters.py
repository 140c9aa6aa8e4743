"""Rules of packet filters, neutron's security groups among them, that counted as many packets as were sent."""

from collections.abc import Iterator

from labctl.cloud.topology import GroupRule, Port
from labctl.lab.devices import CHAINS, port_chain
from labctl.trace.causes.case import Case
from labctl.trace.hops import Hop, Kind
from labctl.trace.kernel import Place, Rule
from labctl.trace.packets import Protocol
from labctl.trace.verdict import Cause

FALLBACK = f"{CHAINS}sg-fallback"
"""Where the linuxbridge agent sends what no rule of a security group lets through."""


def group_drops(case: Case) -> Iterator[Cause]:
    """A security group whose agent's rules sent the packet to the fallback, which drops it."""
    for hop in case.gap.between:
        if hop.kind is not Kind.GROUP:
            continue
        inwards = hop.name.endswith(", in")
        chain = port_chain("i" if inwards else "o", hop.port)
        raised = [rule for rule in case.raised(hop.place) if rule.chain == chain]
        rule = next((one for one in raised if one.target == FALLBACK or one.drops), None)
        port = case.port(hop.port)
        if rule and port:
            yield _group(case, hop, port, rule, inwards)


def _group(case: Case, hop: Hop, port: Port, rule: Rule, inwards: bool) -> Cause:
    groups = [one for one in case.topology.groups if one.id in port.groups]
    names = ", ".join(one.name for one in groups) or "none"
    remote = hop.addresses.source if inwards else hop.addresses.target
    direction = "ingress" if inwards else "egress"
    rules = [each for group in groups for each in group.rules if each.direction == direction]
    counted = f"{hop.place}: {rule.text} (+{case.sent} packets)"
    allowing = next((one for one in rules if _allows(case, one, remote)), None)
    if allowing:
        dead = f"; neutron has not heard of the agent of {case.agent_is_dead}" if case.agent_is_dead else ""
        return Cause(
            "security-group-not-applied",
            f"Neutron allows it ({names}), and {hop.place}'s agent has not written the rule{dead}.",
            (counted, f"neutron: {direction} {_rule_text(allowing)}"),
            f"`labctl logs {hop.place.node}-linuxbridge-agent`; `docker restart` of it writes the rules anew.",
        )
    group = groups[0].name if groups else "GROUP"
    what = case.probe.protocol.value
    ports = f" --dst-port {case.probe.port}" if case.probe.port else ""
    shown = tuple(f"neutron: {direction} {_rule_text(one)}" for one in rules) or (f"neutron: no {direction} rule",)
    return Cause(
        "security-group",
        f"No {direction} rule of {hop.name.rpartition(',')[0]} ({names}) lets {what}{ports} with {remote} through.",
        (counted, *shown),
        f"`labctl openstack security group rule create --{direction} --protocol {what}{ports} "
        f"--remote-ip {remote}/32 {group}`",
    )


def _allows(case: Case, rule: GroupRule, remote: object) -> bool:
    probe = case.probe
    if rule.protocol not in (None, "any", probe.protocol.value):
        return False
    has_ports = probe.protocol is not Protocol.ICMP and rule.first is not None
    if has_ports and not (rule.first or 0) <= probe.port <= (rule.last or 65535):
        return False
    if rule.remote_range is not None and remote not in rule.remote_range:
        return False
    if rule.remote_group:
        members = (one for one in case.topology.ports if rule.remote_group in one.groups)
        return any(remote == fixed.address for one in members for fixed in one.addresses)
    return True


def _rule_text(rule: GroupRule) -> str:
    ports = f" {rule.first}-{rule.last}" if rule.first is not None else ""
    remote = rule.remote_range or (f"group {rule.remote_group}" if rule.remote_group else "anybody")
    return f"{rule.protocol or 'any protocol'}{ports} with {remote}"


def spoofed(case: Case) -> Iterator[Cause]:
    """The rules against forged addresses, which know the guest's own alone."""
    for hop in case.gap.between:
        chain = port_chain("s", hop.port)
        for rule in case.raised(hop.place) if hop.kind is Kind.GROUP else ():
            if rule.chain == chain and rule.drops:
                yield Cause(
                    "spoofing",
                    f"{hop.place} takes {hop.addresses.source} from that guest for forged.",
                    (f"{hop.place}: {rule.text} (+{case.sent} packets)",),
                    "`labctl openstack port set --allowed-address ip-address=ADDRESS PORT`.",
                )


def filter_drops(case: Case) -> Iterator[Cause]:
    """A rule or policy of iptables that dropped as many packets as were sent."""
    for place in case.places:
        for rule in case.raised(place):
            if rule.drops and rule.chain != FALLBACK:
                text = rule.text if not rule.text.startswith("policy") else f"the chain's {rule.text}"
                yield Cause(
                    "packet-filter",
                    f"A packet filter on {place} {'rejects' if rule.target == 'REJECT' else 'drops'} it: {text}",
                    (f"iptables-save -c, table {rule.table}, chain {rule.chain}: +{case.sent} packets or more",),
                    _filter_remedy(case, place, rule),
                )


def frame_filter_drops(case: Case) -> Iterator[Cause]:
    """A rule of ebtables, of which iptables shows nothing."""
    for place in case.places:
        for rule in case.raised_for_frames(place):
            if rule.drops:
                yield Cause(
                    "frame-filter",
                    f"A rule of ebtables on {place} drops it: {rule.text}",
                    (f"ebtables-save -c, table {rule.table}, chain {rule.chain}: +{case.sent} frames or more",),
                    f"On {place}: `ebtables -t {rule.table} {rule.text.replace('-A', '-D', 1)}`.",
                )


def _filter_remedy(case: Case, place: Place, rule: Rule) -> str:
    if rule.text.startswith("policy"):
        return f"A rule that accepts it: `iptables -I {rule.chain} -j ACCEPT` with what it shall be for, on {place}."
    return f"On {place}: `iptables -t {rule.table} {rule.text.replace('-A', '-D', 1)}`, or a rule before it."
