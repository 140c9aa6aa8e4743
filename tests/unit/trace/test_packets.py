"""Probes and frames, byte by byte."""

import struct
from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from labctl.trace.hops import Addresses
from labctl.trace.packets import (
    ARP,
    IPV4,
    Probe,
    Protocol,
    Seen,
    What,
    checksum,
    ethernet,
    ipv4,
    recognise,
)

HERE = Addresses(IPv4Address("192.0.2.1"), IPv4Address("198.51.100.7"))
MAC, OTHER = "fa:16:3e:00:00:01", "fa:16:3e:00:00:02"
IP = (Protocol.ICMP, Protocol.TCP, Protocol.UDP)
MARK = bytes.fromhex("00112233aabbccdd")


def probe(protocol: Protocol) -> Probe:
    return Probe(protocol, 0 if protocol is Protocol.ICMP else 80, MARK, 40000)


def frame(protocol: int, body: bytes, addresses: Addresses = HERE) -> bytes:
    return ethernet(OTHER, MAC, IPV4, ipv4(protocol, addresses, body))


def read(data: bytes, protocol: Protocol) -> Seen:
    seen = recognise(data, probe(protocol))
    assert seen is not None
    return seen


@pytest.mark.parametrize("protocol", IP)
def test_a_probe_is_known_again(protocol: Protocol) -> None:
    packet = probe(protocol).packet(HERE)
    seen = read(ethernet(OTHER, MAC, IPV4, packet), protocol)
    assert (seen.what, seen.addresses, seen.source_mac, seen.target_mac) == (What.REQUEST, HERE, MAC, OTHER)
    assert seen.size == len(packet)
    assert checksum(packet[:20]) == 0
    assert any(mark in packet for mark in probe(protocol).marks)


@pytest.mark.parametrize("protocol", IP)
def test_inside_of_a_vxlan(protocol: Protocol) -> None:
    inner = ethernet(OTHER, MAC, IPV4, probe(protocol).packet(HERE))
    outer = Addresses(IPv4Address("10.0.0.1"), IPv4Address("10.0.0.2"))
    udp = struct.pack("!HHHH", 50000, 8472, 16 + len(inner), 0) + struct.pack("!II", 0x08000000, 488 << 8) + inner
    seen = read(frame(17, udp, outer), protocol)
    assert (seen.what, seen.vni, seen.outer, seen.addresses) == (What.REQUEST, 488, outer, HERE)


def test_answers() -> None:
    echo = struct.pack("!BBHHH", 0, 0, 0, 40000, 1) + MARK
    assert read(frame(1, echo), Protocol.ICMP).text == "echo reply"
    sequence = struct.unpack("!I", MARK[:4])[0]
    for flags, text in ((0x12, "SYN-ACK"), (0x14, "RST: nobody listens")):
        answer = struct.pack("!HHIIBBHHH", 80, 40000, 99, sequence + 1, 5 << 4, flags, 0, 0, 0)
        seen = read(frame(6, answer), Protocol.TCP)
        assert (seen.what, seen.text) == (What.ANSWER, text)
    assert read(frame(17, struct.pack("!HHHH", 80, 40000, 8, 0)), Protocol.UDP).what is What.ANSWER


@pytest.mark.parametrize(
    ("code", "rest", "text"),
    [(3, 0, "port unreachable"), (10, 0, "host (prohibited) unreachable"), (4, 1400, "fragmentation needed, MTU 1400")],
)
def test_errors_quote_the_packet(code: int, rest: int, text: str) -> None:
    for protocol in IP:
        error = struct.pack("!BBHHH", 3, code, 0, 0, rest) + probe(protocol).packet(HERE)
        seen = read(frame(1, error, HERE.back), protocol)
        assert (seen.what, seen.text) == (What.REFUSAL, text)


def test_arp() -> None:
    asks = Probe(Protocol.ARP, 0, b"", 0, asks=HERE, mac=MAC)
    request = asks.frame(MAC, "", HERE)
    seen = recognise(request, asks)
    assert seen is not None
    assert (seen.what, seen.addresses, seen.target_mac) == (What.REQUEST, HERE, "ff:ff:ff:ff:ff:ff")
    told = bytes.fromhex("0001080006040002 fa163e000002") + HERE.target.packed + bytes.fromhex("fa163e000001")
    reply = ethernet(MAC, OTHER, ARP, told + HERE.source.packed)
    answer = recognise(reply, asks)
    assert answer is not None
    assert (answer.what, answer.text) == (What.ANSWER, f"it is at {OTHER}")
    assert asks.request_mark in request
    assert asks.answer_mark in reply
    assert read(request, Protocol.ICMP).what is What.NEIGHBOUR


def test_what_belongs_to_others() -> None:
    other = Probe(Protocol.ICMP, 0, bytes(8), 40000)
    assert recognise(ethernet(OTHER, MAC, IPV4, other.packet(HERE)), probe(Protocol.ICMP)) is None
    assert recognise(ethernet(OTHER, MAC, 0x86DD, bytes(60)), probe(Protocol.ICMP)) is None
    assert recognise(ethernet(OTHER, MAC, ARP, bytes(4)), probe(Protocol.ICMP)) is None


def test_a_probe_can_be_made_large() -> None:
    large = replace(probe(Protocol.ICMP), size=1450)
    assert len(large.packet(HERE)) == 1450
    assert str(large) == "icmp of 1450 bytes"
