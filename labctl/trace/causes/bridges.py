"""What bridges and tunnels know, and what does not fit through them."""

from collections.abc import Iterator

from labctl.lab.devices import VXLAN
from labctl.trace.causes.case import Case, names
from labctl.trace.hops import Hop, Kind
from labctl.trace.kernel import HOST, Place
from labctl.trace.verdict import Cause

TUNNEL = "tunnel0"
"""The device with a node's tunnel address, as `hold-namespace` of the agents' image calls it."""
OVERHEAD = 50
"""Bytes that VXLAN adds: IPv4, UDP, VXLAN and the inner frame's Ethernet header (RFC 7348)."""


def no_tunnel_address(case: Case) -> Iterator[Cause]:
    """A node whose tunnel end point has lost its address."""
    hops = (*((case.last,) if case.last else ()), case.next)
    if not any(hop.vni is not None or hop.kind is Kind.VXLAN for hop in hops):
        return
    for place in dict.fromkeys(hop.place for hop in case.path.hops if hop.vni is not None and hop.place.node != HOST):
        device = case.after.at(place).device(TUNNEL)
        if device and not device.addresses:
            yield Cause(
                "no-tunnel-address",
                f"{TUNNEL} on {place} has no address, so it neither sends nor receives VXLAN packets.",
                (f"ip address show {TUNNEL}: none of IPv4",),
                f"`docker restart` of the holder of {place} gives it its address again.",
            )


def wrong_neighbour(case: Case) -> Iterator[Cause]:
    """A node that has the wrong MAC address for another node's tunnel end point."""
    seen = case.gap.last.on(case.gap.way_back) if case.gap.last else None
    if seen is None or seen.seen.outer is None:
        return
    outer = seen.seen.outer
    ends = {address.ip: (place, device.mac) for place in case.nodes for device, address in case.addresses(place)}
    sender, receiver = ends.get(outer.source), ends.get(outer.target)
    if sender is None or receiver is None:
        return
    known = case.after.at(sender[0]).neighbour(outer.target)
    if known and known.mac and known.mac != receiver[1]:
        yield Cause(
            "wrong-neighbour",
            f"{sender[0]} thinks that {outer.target} has the MAC address {known.mac}; {receiver[0]} has {receiver[1]}.",
            (f"ip neighbour: {known.address} dev {known.device} lladdr {known.mac} {known.state}",),
            f"On {sender[0]}: `ip neighbour del {known.address} dev {known.device}`.",
        )


def too_large(case: Case) -> Iterator[Cause]:
    """A device that takes smaller packets only."""
    # A bridge takes the smallest MTU of its ports: the port is the one to name.
    for hop in (case.next, case.last):
        device = case.after.at(hop.place).device(hop.device) if hop else None
        # Who sends into a tunnel has to leave room for its headers.
        wrapping = OVERHEAD if hop and hop.vni is not None and not _is_wrapped(case) else 0
        if hop and device and case.size + wrapping > device.mtu:
            yield Cause(
                "mtu",
                f"{case.size + wrapping} bytes do not fit {hop.device} on {hop.place}: its MTU is {device.mtu}.",
                (f"neutron gives servers of this path an MTU of {case.path.mtu}",),
                f"On {hop.place}: `ip link set {hop.device} mtu N`; see `labctl logs` of its agent for who changed it.",
            )


def _is_wrapped(case: Case) -> bool:
    seen = case.gap.last.on(case.gap.way_back) if case.gap.last else None
    return seen is not None and seen.seen.vni is not None


def wrong_port(case: Case) -> Iterator[Cause]:
    """A bridge that thinks the receiver's MAC address is behind the port that its frame came from: it drops that."""
    last = case.last
    seen = case.gap.last.on(case.gap.way_back) if case.gap.last else None
    if last is None or seen is None or seen.seen.vni is not None or last.place != case.next.place:
        return
    mac = seen.seen.target_mac
    kernel = case.after.at(last.place)
    device, wanted = kernel.device(last.device), kernel.device(case.next.device)
    bridge = last.device if last.kind is Kind.BRIDGE else device.master if device else ""
    if not bridge or wanted is None or wanted.master != bridge:
        return
    behind = kernel.where_is(mac, bridge)
    if behind in ("", wanted.name):
        return
    came_from = _came_from(case) or last.device
    why = (
        "where its frame came from, and a bridge never sends a frame back" if behind == came_from else "which is wrong"
    )
    yield Cause(
        "forwarding",
        f"The bridge {bridge} on {last.place} thinks that {mac} is behind {behind}, {why}.",
        (
            f"bridge fdb show br {bridge}: {mac} dev {behind}; it should be {case.next.device}",
            *_reflections(case, behind),
        ),
        f"On {last.place}: `bridge fdb del {mac} dev {behind} master`. Where frames come back by an uplink, "
        f"`bridge link set dev {behind} learning off` as well.",
    )


def _came_from(case: Case) -> str:
    """The port by which a packet came to the bridge that saw it last."""
    hops = case.path.hops if not case.gap.way_back else tuple(reversed(case.path.hops))
    here = hops.index(case.last) if case.last else 0
    before = [one for one in hops[:here] if one.is_watched and case.last and one.place == case.last.place]
    return before[-1].device if before else ""


def _reflections(case: Case, device: str) -> Iterator[str]:
    """Frames that came back in by a device that had sent them, and ports that send back."""
    for place in case.nodes:
        for port in case.after.at(place).devices:
            if port.hairpin:
                yield f"{port.name} on {place}, a port of {port.master}, sends frames back (hairpin on)"
    for passage in case.passages:
        if passage.hop.device != device and not passage.hop.device.startswith("port-"):
            continue
        left = [one for one in passage.all if one.leaves]
        for one in passage.all:
            if not one.leaves and any(other.frame == one.frame and other.at <= one.at for other in left):
                yield f"{passage.hop.device} on {passage.hop.place} received the {one.seen.what} that it had sent"
                break


def no_tunnel(case: Case) -> Iterator[Cause]:
    """Between a VXLAN's device and the other node's."""
    last, next_ = case.last, case.next
    if last is None or last.place == next_.place or HOST not in (last.place.node, next_.place.node):
        return
    ends = [place for place in (last.place, next_.place) if place.node != HOST]
    on_host = next_ if next_.place.node == HOST else last
    device = case.after.at(Place(HOST)).device(on_host.device)
    bridge = device.master if device else ""
    yield Cause(
        "link",
        f"What {last.device} on {last.place} has, does not come to {next_.device} on {next_.place}.",
        (
            f"{on_host.device} is a port of {bridge or 'no bridge'}; its ports: "
            f"{names(case.after.at(Place(HOST)).ports(bridge)) if bridge else 'none'}",
            *(line for place in ends for line in case.after.at(place).queues if "netem" in line or "tbf" in line),
        ),
        f"`docker restart` of the holder of {ends[0]} plugs its links in anew." if ends else "`labctl up`.",
    )


def tunnel_drops(case: Case) -> Iterator[Cause]:
    """A VXLAN device that did not wrap or unwrap what was there."""
    last, next_ = case.last, case.next
    if last is None or last.place != next_.place or Kind.VXLAN not in (last.kind, next_.kind):
        return
    hop: Hop = last if last.kind is Kind.VXLAN else next_
    kernel = case.after.at(hop.place)
    device = kernel.device(hop.device)
    remotes = [f"{one.mac} is at {one.remote}" for one in kernel.forwarding if one.device == hop.device and one.remote]
    vni = hop.device.removeprefix(VXLAN)
    wrong = device is not None and device.vni is not None and str(device.vni) != vni
    yield Cause(
        "vxlan",
        f"{hop.device} on {hop.place} does not {'send' if hop is last else 'receive'} what is wrapped in VXLAN {vni}"
        + (f": its number is {device.vni}." if wrong and device else "."),
        tuple(f"bridge fdb show dev {hop.device}: {line}" for line in remotes) or ("it knows no other node",),
        f"`labctl logs {hop.place.node}-linuxbridge-agent`; restarting the agent makes the device anew.",
    )
