"""Watchers in a container with a bridge of its own: what `labctl trace` stands on, without a lab."""

from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from labctl.engine.lookout import Captured, WatchedDevice, host_watcher, node_watcher
from labctl.trace.hops import Addresses
from labctl.trace.kernel import parse_kernel
from labctl.trace.packets import Probe, Protocol, What, recognise
from tests.conftest import Built
from tests.lab.commands import docker

LAB = "labctl-test-lookout"
GUEST, OTHER = "fa:16:3e:00:00:01", "fa:16:3e:00:00:02"
ADDRESSES = Addresses(IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2"))
PROBE = Probe(Protocol.ICMP, 0, bytes.fromhex("00112233aabbccdd"), 40000)
BRIDGE = """
ip netns add node; there() { ip netns exec node "$@"; }
there ip link add bridge0 up type bridge forward_delay 0 mcast_snooping 0
for name in tap0 tap1; do
    there ip link add $name up master bridge0 type veth peer name guest-$name
    there ip link set guest-$name up
done
there iptables -A FORWARD -p icmp -j ACCEPT
"""
DEVICES = tuple(
    WatchedDevice(number, "node", name, name == "bridge0") for number, name in enumerate(("tap0", "bridge0", "tap1"), 1)
)


@pytest.fixture(scope="module")
def node(built: Built) -> Iterator[str]:
    """A container with a namespace in which a bridge connects two taps."""
    options = ("--detach", "--rm", "--privileged", "--network", "none", "--user", "0:0", "--name", LAB)
    docker("run", *options, "--entrypoint", "sleep", built.reference("neutron-agents"), "infinity")
    try:
        docker("exec", LAB, "sh", "-euc", BRIDGE)
        yield LAB
    finally:
        docker("rm", "--force", LAB)


def test_a_frame_comes_in_by_the_tap_and_leaves_by_the_other(node: str) -> None:
    with node_watcher(node) as watcher:
        before = parse_kernel(watcher.look(("node",))["node"])
        assert watcher.watch(DEVICES, PROBE.marks) == {}
        watcher.send_as_guest("node", "tap0", (PROBE.frame(GUEST, OTHER, ADDRESSES),))
        assert watcher.wait(3, PROBE.request_mark, True, 10.0) is not None
        captured = watcher.stop()
        after = parse_kernel(watcher.look(("node",))["node"])
    assert seen(captured) == [(1, False), (2, False), (3, True)]
    assert [frame.at for frame in captured.frames] == sorted(frame.at for frame in captured.frames)
    assert captured.lost == {}
    # The packet filter of the bridge saw it, the bridge learned its sender, and nothing else is new.
    rule = next(one for one in after.rules if "-p icmp -j ACCEPT" in one.text)
    assert rule.packets == 1
    assert after.where_is(GUEST, "bridge0") == "tap0"
    assert after.devices == before.devices


def seen(captured: Captured) -> list[tuple[int, bool]]:
    """Which devices saw the probe, in order, and whether they sent it."""
    found = []
    for frame in sorted(captured.frames, key=lambda one: (one.at, one.number)):
        read = recognise(frame.data, PROBE)
        assert read is not None
        assert (read.what, read.addresses, read.source_mac) == (What.REQUEST, ADDRESSES, GUEST)
        found.append((frame.number, frame.leaves))
    return found


def test_what_is_not_there_is_told(node: str) -> None:
    with node_watcher(node) as watcher:
        assert watcher.look(("nowhere",)) == {}
        missing = watcher.watch((WatchedDevice(7, "node", "tap9"), WatchedDevice(8, "nowhere", "tap0")), PROBE.marks)
        assert set(missing) == {7, 8}
        assert watcher.stop() == Captured((), {})


def test_nobody_else_is_captured(node: str) -> None:
    other = Probe(Protocol.ICMP, 0, bytes(8), 40000)
    with node_watcher(node) as watcher:
        watcher.watch(DEVICES, PROBE.marks)
        watcher.send_as_guest("node", "tap0", (other.frame(GUEST, OTHER, ADDRESSES),))
        watcher.send_as_guest("node", "tap0", (PROBE.frame(GUEST, OTHER, ADDRESSES),))
        assert watcher.wait(3, PROBE.request_mark, True, 10.0) is not None
        assert {recognise(frame.data, PROBE) is not None for frame in watcher.stop().frames} == {True}


def test_the_host_is_looked_at_and_sent_from(built: Built) -> None:
    loopback = Addresses(IPv4Address("127.0.0.1"), IPv4Address("127.0.0.1"))
    with host_watcher(built.reference("neutron-agents"), LAB) as watcher:
        kernel = parse_kernel(watcher.look(("",))[""])
        assert kernel.device("lo") is not None
        assert watcher.watch((WatchedDevice(1, "", "lo"),), PROBE.marks) == {}
        assert watcher.send((PROBE.packet(loopback),), "127.0.0.1") == ""
        assert watcher.wait(1, PROBE.request_mark, False, 10.0) is not None
        assert watcher.stop().frames
