"""Frames that a guest may have sent, as a trace reads them."""

import struct
from ipaddress import IPv4Address

from hypothesis import strategies as st

from labctl.trace.hops import Addresses
from labctl.trace.packets import ARP, IPV4, VLAN, Probe, Protocol, ethernet, ipv4, recognise
from tests.fuzz.making import changed, fuzz

MACS = ("02:00:00:00:00:01", "02:00:00:00:00:02")
ADDRESSES = Addresses(IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))
PROBES = tuple(
    Probe(protocol, 80, b"\1\2\3\4\5\6\7\x08", 40000, asks=ADDRESSES if protocol is Protocol.ARP else None, mac=MACS[0])
    for protocol in Protocol
)
FRAMES = tuple(probe.frame(*MACS, ADDRESSES) for probe in PROBES)


@st.composite
def wrapped(draw: st.DrawFn) -> bytes:
    """A frame in VXLANs in VLANs, as deep as one likes."""
    frame = draw(st.one_of(changed(FRAMES), st.binary(max_size=80)))
    for _ in range(draw(st.sampled_from([0, 1, 2, 5, 40, 1200]))):
        if len(frame) > 60_000:
            break
        udp = struct.pack("!HHHH", 4789, 8472, (16 + len(frame)) & 0xFFFF, 0) + bytes(8) + frame
        frame = ethernet(*MACS, IPV4, ipv4(17, ADDRESSES, udp))
    kind = draw(st.sampled_from([0, 0, VLAN, ARP]))
    frame = frame[:12] + struct.pack("!HH", kind, 7) + frame[12:] if kind else frame
    return frame[: draw(st.sampled_from([len(frame), len(frame), 33, 34, 35, 38, 42]))]


@fuzz(18, frame=st.one_of(wrapped(), changed(FRAMES)), probe=st.sampled_from(PROBES))
def test_frames(frame: bytes, probe: Probe) -> None:
    seen = recognise(frame, probe)
    assert seen is None or seen.addresses
