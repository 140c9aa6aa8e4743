"""Namespaces and devices that are not there, are switched off, or are not where they belong."""

from collections.abc import Iterator

from labctl.trace.causes.case import Case, names
from labctl.trace.hops import Hop, Kind
from labctl.trace.path import UNKNOWN
from labctl.trace.verdict import Cause


def no_namespace(case: Case) -> Iterator[Cause]:
    """A router's or DHCP server's namespace that is not there."""
    hop = case.gap.next.hop
    if hop.place.namespace and hop.place not in case.before:
        yield Cause(
            "no-namespace",
            f"{hop.name} has no network namespace on {hop.place.node}: its agent has not made it.",
            (f"{hop.place.namespace} is not in /run/netns of {hop.place.node}",),
            f"`labctl logs {hop.place.node}-l3-agent` and `-dhcp-agent` say why; restarting the agent makes it.",
        )


def no_device(case: Case) -> Iterator[Cause]:
    """A device of the path that is not there, is switched off, or is not in its bridge."""
    for hop in (case.gap.next.hop, *((case.gap.last.hop,) if case.gap.last else ())):
        kernel = case.after.at(hop.place)
        device = kernel.device(hop.device)
        if device is None:
            yield _no_device(case, hop)
        elif not device.is_up:
            yield Cause(
                "device-down",
                f"{hop.device} on {hop.place} is switched off.",
                (f"ip link show {hop.device}: not UP, MTU {device.mtu}",),
                f"In the node: `ip link set {hop.device} up`.",
            )
        elif not device.has_carrier:
            yield Cause(
                "device-down",
                f"{hop.device} on {hop.place} has no carrier: its other end is switched off.",
                (f"ip link show {hop.device}: NO-CARRIER",),
                "Look at its other end: the node's NIC, or the guest.",
            )
        elif (bridge := _bridge_of(case, hop)) and device.master != bridge:
            yield Cause(
                "not-in-bridge",
                f"{hop.device} on {hop.place} is not a port of {bridge}.",
                (f"its bridge is {device.master or 'none'}; ports: {names(kernel.ports(bridge))}",),
                f"`labctl logs {hop.place.node}-linuxbridge-agent`: the agent puts it there; restart it.",
            )


def _no_device(case: Case, hop: Hop) -> Cause:
    if hop.device == UNKNOWN:
        return Cause(
            "no-device",
            f"{hop.name} on {hop.place} cannot be found: the node has no link, or it leads elsewhere.",
            (f"devices there: {names(case.after.at(hop.place).devices) or 'none'}",),
            "`labctl status`; `labctl up` starts the holder of a node that lost its links anew.",
        )
    server = next((one for one in case.topology.servers if one.id == _owner(case, hop)), None)
    state = (f"nova: {server.name} is {server.status} on {server.node or 'no node'}",) if server else ()
    dead = (f"neutron has not heard of the linuxbridge agent of {case.agent_is_dead}",) if case.agent_is_dead else ()
    return Cause(
        "no-device",
        f"There is no {hop.device} on {hop.place}: {hop.name} does not exist.",
        (f"devices there: {names(case.after.at(hop.place).devices) or 'none'}", *state, *dead),
        f"`labctl logs {hop.place.node}-linuxbridge-agent` says why its agent has not made it.",
    )


def _owner(case: Case, hop: Hop) -> str:
    port = case.port(hop.port)
    return port.device if port else ""


def _bridge_of(case: Case, hop: Hop) -> str:
    """The bridge that a tap or VXLAN belongs into: that of the nearest hop at the same place."""
    if hop.kind not in (Kind.TAP, Kind.VXLAN):
        return ""
    hops = case.path.hops
    here = hops.index(hop)
    near = sorted(
        (abs(index - here), one.device)
        for index, one in enumerate(hops)
        if one.kind is Kind.BRIDGE and one.place == hop.place
    )
    return near[0][1] if near else ""
