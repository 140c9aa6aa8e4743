"""Recorded traces: path, sightings, verdict, and how it is shown; kept in tests/unit/render/golden/traces/."""

import json
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from itertools import pairwise

import pytest

from labctl.engine.lookout import Frame
from labctl.trace.hops import Kind
from labctl.trace.kernel import HOST, Device, Kernel, Kernels, Neighbour, Place, Rule
from labctl.trace.path import NODE
from labctl.trace.report.captures import captures
from labctl.trace.report.json import as_json
from labctl.trace.report.picture import GAP, lay_out
from labctl.trace.report.picture import as_svg as svg
from labctl.trace.report.text import as_text
from tests.unit.render.golden_files import assert_golden
from tests.unit.trace.recorded_trace import Recorded


@pytest.mark.parametrize("name", ["floating", "group"])
def test_table_json_and_picture(name: str) -> None:
    trace = Recorded(name).trace()
    shown = json.dumps(json.loads(as_json(trace)), indent=2)
    files = {"trace.txt": f"{as_text(trace)}\n", "trace.json": f"{shown}\n", "trace.svg": svg(trace)}
    assert_golden(f"traces/{name}", {path: text.encode() for path, text in files.items()})


def test_every_hop_is_seen_in_order_there_and_back() -> None:
    trace = Recorded("floating").trace()
    watched = [one for one in trace.passages if one.hop.is_watched]
    there = [one.there.at for one in watched if one.there]
    back = [one.back.at for one in reversed(watched) if one.back]
    assert len(there) == len(back) == len(watched) == 26
    assert there == sorted(there)
    assert back == sorted(back)
    assert trace.fate.answered


def test_addresses_are_those_that_the_path_expects() -> None:
    for one in Recorded("floating").trace().passages:
        if one.there and one.back:
            assert one.there.seen.addresses == one.hop.addresses
            assert one.back.seen.addresses == one.hop.addresses.back


def test_the_group_is_named_with_what_would_let_it_in() -> None:
    cause = Recorded("group").trace().cause
    assert cause is not None
    assert cause.id == "security-group"
    assert "--protocol tcp --dst-port 81" in cause.remedy


def test_nothing_in_a_picture_overlaps() -> None:
    for name in ("floating", "group"):
        picture = lay_out(Recorded(name).trace())
        boxes = sorted(picture.boxes, key=lambda box: (box.x, box.y))
        for one, two in pairwise(boxes):
            assert one.x != two.x or one.y + one.height + GAP <= two.y
        for one, two in pairwise(picture.lanes):
            assert one.x + one.width < two.x
        assert picture.lanes[-1].x + picture.lanes[-1].width <= picture.width
        assert max(box.y + box.height for box in picture.boxes) < picture.verdict_y < picture.height


def test_captures_are_files_of_libpcap_named_after_their_hops() -> None:
    files = captures(Recorded("floating").trace())
    assert list(files)[:2] == ["01-node1-tap6367439b-d8.pcap", "02-node1-brqbd2b630f-14.pcap"]
    assert len(files) == 26
    for data in files.values():
        assert data[:4] == bytes.fromhex("4d3cb2a1")
        assert len(data) > 24


def changed(kernels: Kernels, place: Place, change: Callable[[Kernel], Kernel]) -> Kernels:
    return Kernels({**kernels.by_place, place: change(kernels.at(place))})


def device(name: str, **values: object) -> Callable[[Kernel], Kernel]:
    def change(kernel: Kernel) -> Kernel:
        devices = tuple(replace(one, **values) if one.name == name else one for one in kernel.devices)  # type: ignore[arg-type]
        return replace(kernel, devices=devices)

    return change


def without(name: str) -> Callable[[Kernel], Kernel]:
    return lambda kernel: replace(kernel, devices=tuple(one for one in kernel.devices if one.name != name))


def counted(text: str, packets: int, chain: str = "INPUT") -> Callable[[Kernel], Kernel]:
    return lambda kernel: replace(kernel, rules=(*kernel.rules, Rule("filter", chain, text, packets)))


def for_frames(text: str) -> Callable[[Kernel], Kernel]:
    return lambda kernel: replace(kernel, frame_rules=(Rule("filter", "FORWARD", text, 3),))


def neighbour(address: str) -> Callable[[Kernel], Kernel]:
    wrong = Neighbour(IPv4Address(address), "tunnel0", "02:00:00:00:00:01", "PERMANENT")
    return lambda kernel: replace(kernel, neighbours=(wrong,))


NODE1, NET = Place("node1", NODE), Place("net", NODE)
ROUTER = Place("net", "qrouter-3f64ffc8-2eb8-461b-83d8-61fe884722d1")
REJECT = "-A INPUT -p udp --dport 8472 -j REJECT --reject-with icmp-port-unreachable"


@pytest.mark.parametrize(
    ("last", "place", "change", "cause", "says"),
    [
        (2, NODE1, without("vxlan-488"), "no-device", "There is no vxlan-488 on node1"),
        (2, NODE1, device("vxlan-488", is_up=False), "device-down", "vxlan-488 on node1 is switched off"),
        (7, Place(HOST), device("vethd44e964", has_carrier=False), "device-down", "its other end is switched off"),
        (2, NODE1, device("vxlan-488", master=""), "not-in-bridge", "vxlan-488 on node1 is not a port of brq"),
        (4, NODE1, device("tunnel0", mtu=30), "mtu", "its MTU is 30"),
        (10, NET, counted(REJECT, 3), "packet-filter", "A packet filter on net rejects it: -A INPUT -p udp"),
        (7, Place(HOST), counted("policy DROP", 9, "FORWARD"), "packet-filter", "drops it: the chain's policy DROP"),
        (10, NET, lambda kernel: kernel, "vxlan", "vxlan-488 on net does not receive"),
        (10, NET, device("tunnel0", addresses=()), "no-tunnel-address", "tunnel0 on net has no address"),
        (9, NODE1, neighbour("10.77.1.10"), "wrong-neighbour", "node1 thinks that 10.77.1.10 has the MAC address 02:"),
        (12, NET, for_frames("-A FORWARD -p ARP -j DROP"), "frame-filter", "A rule of ebtables on net drops it"),
        (6, Place(HOST), lambda kernel: kernel, "link", "does not come to veth21a092e on host"),
        (14, ROUTER, lambda kernel: replace(kernel, rules=()), "no-translation", "has no DNAT rule to 192.168.77.173"),
        (
            14,
            ROUTER,
            lambda kernel: replace(kernel, settings={"ipv4/ip_forward": "0"}),
            "no-forwarding",
            "does not forward packets",
        ),
    ],
)
def test_causes(last: int, place: Place, change: Callable[[Kernel], Kernel], cause: str, says: str) -> None:
    recorded = Recorded("floating")
    recorded.sent = 3
    recorded.frames = recorded.frames_until(last)
    recorded.after = changed(recorded.after, place, change)
    found = recorded.trace().cause
    assert found is not None
    assert found.id == cause
    assert says in found.what
    assert found.evidence
    assert found.remedy


def test_a_router_without_a_namespace() -> None:
    recorded = Recorded("floating")
    recorded.frames = recorded.frames_until(13)
    recorded.before = Kernels({place: one for place, one in recorded.before.by_place.items() if place != ROUTER})
    found = recorded.trace().cause
    assert found is not None
    assert found.id == "no-namespace"


def test_a_server_that_does_not_answer() -> None:
    recorded = Recorded("floating")
    recorded.frames = recorded.frames_until(30)
    trace = recorded.trace()
    assert trace.fate.arrived
    assert trace.cause is not None
    assert trace.cause.id == "silent"
    assert "it is trace-b's" in " ".join(trace.cause.evidence)


@pytest.mark.parametrize(("strict", "cause"), [("0", "no-neighbour"), ("1", "reverse-path")])
def test_nothing_is_sent_where_nobody_answers_arp(strict: str, cause: str) -> None:
    """A router with the strict filter does not answer one whom it would reach by another device."""
    recorded = Recorded("floating")
    recorded.frames = ()
    asked = Neighbour(IPv4Address("192.168.79.129"), "brqbd2b630f-14", "", "FAILED")
    settings = {"ipv4/ip_forward": "1", "ipv4/conf/all/rp_filter": strict}
    recorded.after = changed(recorded.after, NODE1, lambda kernel: replace(kernel, neighbours=(asked,)))
    recorded.after = changed(recorded.after, ROUTER, lambda kernel: replace(kernel, settings=settings, routes=()))
    found = recorded.trace().cause
    assert found is not None
    assert found.id == cause


def test_a_device_that_missed_it_is_no_place_of_death() -> None:
    recorded = Recorded("floating")
    recorded.frames = tuple(one for one in recorded.frames if one.number != 12)
    assert recorded.trace().fate.answered


def test_a_mac_address_behind_the_port_that_it_came_from() -> None:
    recorded = Recorded("group")
    recorded.frames = recorded.frames_until(12)
    recorded.before = recorded.after  # no rule counted anything
    place = Place("node2", NODE)
    mac = next(one.mac for one in recorded.topology.ports if one.id.startswith("1d3ab622-4e"))
    kernel = recorded.after.at(place)
    moved = tuple(replace(one, device="vxlan-488") if one.mac == mac else one for one in kernel.forwarding)
    recorded.after = changed(recorded.after, place, lambda one: replace(one, forwarding=moved))
    found = recorded.trace().cause
    assert found is not None
    assert found.id == "forwarding"
    assert "is behind vxlan-488, where its frame came from" in found.what
    recorded.after = changed(recorded.after, place, device("port-tunnel0", hairpin=True))
    reflecting = recorded.trace().cause
    assert reflecting is not None
    assert "port-tunnel0 on node2, a port of tunnel0, sends frames back (hairpin on)" in reflecting.evidence


def test_frames_of_others_do_not_count() -> None:
    recorded = Recorded("floating")
    recorded.frames = tuple(
        Frame(one.number, one.at, one.leaves, one.data.replace(recorded.probe.mark, bytes(8)))
        for one in recorded.frames
    )
    trace = recorded.trace()
    assert not any(one.there or one.back for one in trace.passages)
    assert trace.fate.gap is not None
    assert trace.fate.gap.last is None


def test_a_large_ping_that_a_small_tunnel_does_not_take() -> None:
    recorded = Recorded("floating")
    recorded.probe = replace(recorded.probe, size=1450)
    recorded.frames = recorded.frames_until(4)
    recorded.after = changed(recorded.after, NODE1, device("tunnel0", mtu=70))
    trace = recorded.trace()
    assert trace.cause is not None
    assert trace.cause.id == "mtu"
    assert "icmp of 1450 bytes" in as_text(trace).splitlines()[0]


def test_of_a_bridge_and_its_small_port_the_port_is_named() -> None:
    recorded = Recorded("floating")
    recorded.probe = replace(recorded.probe, size=1450)
    recorded.frames, recorded.before = recorded.frames_until(28), recorded.after
    for name in ("brqbd2b630f-14", "tap1d3ab622-4e"):
        recorded.after = changed(recorded.after, Place("node2", NODE), device(name, mtu=20))
    cause = recorded.trace().cause
    assert cause is not None
    assert "do not fit tap1d3ab622-4e on node2" in cause.what


def test_the_way_of_an_arp_request_ends_at_the_router() -> None:
    path = Recorded("floating").trace().path.to_neighbour()
    assert path.hops[-1].device == "qr-692733ce-0a"
    assert str(path.addresses) == "192.168.77.5 > 192.168.77.1"
    assert not any(hop.kind is Kind.NAT for hop in path.hops)


def test_a_server_without_a_tap() -> None:
    recorded = Recorded("floating")
    recorded.sent, recorded.frames, recorded.unwatched = 0, (), {1: "No such device"}
    recorded.after = changed(recorded.after, NODE1, without("tap6367439b-d8"))
    trace = recorded.trace()
    assert trace.cause is not None
    assert trace.cause.id == "no-device"
    assert "nova: trace-a is ACTIVE on node1" in trace.cause.evidence


def test_addresses_that_are_not_as_they_should_be() -> None:
    recorded = Recorded("floating")
    kept = tuple(one for one in recorded.topology.floating if str(one.address) != "192.168.79.175")
    recorded.topology = replace(recorded.topology, floating=kept)
    text = as_text(recorded.trace())
    assert "and should have seen 192.168.79." in text


def test_a_device_knows_its_namespace_by_number() -> None:
    """The host's end of a node's link is found by its number, which the link names."""
    recorded = Recorded("group")
    host = recorded.after.at(Place(HOST))
    link = recorded.after.at(NODE1).device("port-tunnel0")
    assert isinstance(link, Device)
    assert next(one.name for one in host.devices if one.index == link.peer) == "veth21a092e"
