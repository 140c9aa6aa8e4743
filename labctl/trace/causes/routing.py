"""What a router or the host does not do with a packet, and who does not answer."""

from collections.abc import Iterator

from labctl.trace.causes.case import Case
from labctl.trace.hops import Addresses, Hop, Kind
from labctl.trace.kernel import Neighbour, Place
from labctl.trace.verdict import Cause

UNANSWERED = ("FAILED", "INCOMPLETE")
"""States of a neighbour that was asked for and has not answered (ip-neighbour(8))."""


def no_neighbour(case: Case) -> Iterator[Cause]:
    """A router or host that asked who has an address, and was not told."""
    hop, next_ = case.last, case.next
    if hop is None or not _routes(hop):
        return
    addresses = next_.addresses.back if case.gap.way_back else next_.addresses
    kernel = case.after.at(hop.place)
    route = kernel.route_to(addresses.target)
    gateway = route.gateway if route and route.gateway else addresses.target
    neighbour = kernel.neighbour(gateway)
    if route is None:
        yield Cause(
            "no-route",
            f"{hop.place} has no route to {addresses.target}.",
            tuple(f"{one.destination} dev {one.device}" for one in kernel.routes),
            "`labctl logs net-l3-agent`; restarting the agent writes the router's routes anew.",
        )
    elif neighbour is not None and neighbour.state in UNANSWERED:
        remedy = "Trace to that address from another server of its network; a server that does not run does not answer."
        yield _nobody_answers(case, hop.place, neighbour, remedy)


def _state_of(case: Case, address: object) -> Iterator[str]:
    """What nova says of the server that has an address."""
    for port in case.topology.ports:
        server = case.topology.server_of(port)
        if server and any(fixed.address == address for fixed in port.addresses):
            yield f"it is {server.name}'s, which nova says is {server.status} on {server.node or 'no node'}"


def no_forwarding(case: Case) -> Iterator[Cause]:
    """A kernel that does not forward, or drops what comes by another way than it would answer by."""
    hop, next_ = case.last, case.next
    if hop is None or not _routes(hop) or hop.place != next_.place:
        return
    kernel = case.after.at(hop.place)
    if kernel.setting("ipv4/ip_forward") == "0":
        yield Cause(
            "no-forwarding",
            f"{hop.place} does not forward packets.",
            ("net.ipv4.ip_forward = 0",),
            "There: `sysctl -w net.ipv4.ip_forward=1`; for a router, restarting the L3 agent does it.",
        )
    yield from _reverse_path(case, hop, hop.addresses.back if case.gap.way_back else hop.addresses)


def unanswered(case: Case) -> Iterator[Cause]:
    """A host that asked a router or server who has the address, and was not told: nothing was ever sent."""
    if case.last is not None or case.gap.way_back:
        return
    first = case.path.hops[0]
    target = first.addresses.target
    neighbour = case.after.at(first.place).neighbour(target)
    if neighbour is None or neighbour.state not in UNANSWERED:
        return
    # The filter looks at who asks by ARP, too (net/ipv4/arp.c, arp_process: ip_route_input_noref).
    router = next((hop for hop in case.path.hops if hop.kind is Kind.ROUTER), None)
    if router:
        yield from _reverse_path(case, router, router.addresses)
    remedy = "Trace from a server of the network that the address is in; a router that does not run does not answer."
    yield _nobody_answers(case, first.place, neighbour, remedy)


def _nobody_answers(case: Case, place: Place, neighbour: Neighbour, remedy: str) -> Cause:
    address = neighbour.address
    return Cause(
        "no-neighbour",
        f"{place} asks who has {address} (ARP), and nobody answers.",
        (f"ip neighbour: {address} dev {neighbour.device} {neighbour.state}", *_state_of(case, address)),
        remedy,
    )


def _reverse_path(case: Case, hop: Hop, addresses: Addresses) -> Iterator[Cause]:
    """Whether the strict reverse path filter takes what comes by a device (ip-sysctl.rst, rp_filter)."""
    kernel = case.after.at(hop.place)
    strict = [name for name in ("all", hop.device) if kernel.setting(f"ipv4/conf/{name}/rp_filter") == "1"]
    back = kernel.route_to(addresses.source)
    if strict and (back is None or back.device != hop.device):
        yield Cause(
            "reverse-path",
            f"{hop.place} drops what comes from {addresses.source} by {hop.device}: "
            f"it would answer by {back.device if back else 'no device'}.",
            tuple(f"net.ipv4.conf.{name}.rp_filter = 1" for name in strict),
            f"`sysctl -w net.ipv4.conf.{strict[0]}.rp_filter=0`, or a route back by {hop.device}.",
        )


def no_translation(case: Case) -> Iterator[Cause]:
    """A floating IP or router without the rule that its translation is made of."""
    for hop in case.gap.between:
        if hop.kind is not Kind.NAT:
            continue
        what, _, address = hop.name.partition(" to ")
        rules = [one for one in case.after.at(hop.place).rules if one.table == "nat" and one.target == what]
        if not any(f"{address} " in f"{one.text} " for one in rules):
            yield Cause(
                "no-translation",
                f"{hop.place} has no {what} rule to {address}.",
                tuple(one.text for one in rules) or (f"iptables-save -t nat: no {what} rule at all",),
                "`docker restart LAB-net-l3-agent` has it write its rules anew; `labctl logs net-l3-agent` says more.",
            )


def silent(case: Case) -> Iterator[Cause]:
    """The other end, which was reached and says nothing."""
    if not case.gap.way_back or case.gap.last is not None:
        return
    hop = case.next
    state = tuple(_state_of(case, hop.addresses.target))
    yield Cause(
        "silent",
        f"{hop.addresses.target} got it and does not answer.",
        (f"the last device before it, {hop.device} on {hop.place}, sent it {case.sent} times", *state),
        "`labctl openstack console log show SERVER`: is it up, and does its own firewall let this in?"
        if state
        else f"Look at who has {hop.addresses.target}, and at a firewall there.",
    )


def _routes(hop: Hop) -> bool:
    return hop.kind in (Kind.ROUTER, Kind.END)
