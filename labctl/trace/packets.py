"""Probes, and how they are known again: bytes of Ethernet, IPv4, ICMP, TCP, UDP, ARP and VXLAN. Pure."""

import struct
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address

from labctl.trace.hops import Addresses

IPV4, ARP, VLAN = 0x0800, 0x0806, 0x8100
ICMP, TCP, UDP = 1, 6, 17
VXLAN_PORTS = (8472, 4789)
"""Linux's own, which the linuxbridge agent keeps, and IANA's."""
ECHO_REPLY, UNREACHABLE, ECHO_REQUEST, TIME_EXCEEDED = 0, 3, 8, 11
BROADCAST = "ff:ff:ff:ff:ff:ff"
ARP_HEADER = bytes.fromhex("08060001080006040001")


class Protocol(StrEnum):
    """What a probe can be."""

    ICMP = "icmp"
    TCP = "tcp"
    UDP = "udp"
    ARP = "arp"


@dataclass(frozen=True)
class Probe:
    """A probe, marked so that it is known everywhere.

    Attributes:
        protocol: What it is.
        port: The port that it goes to; 0 for ICMP.
        mark: 8 random bytes. ICMP and UDP carry them; TCP's sequence number is the first 4.
        own_port: The port that it comes from; for ICMP, its id.
        size: How large the packet is; as small as can be where that is more.
        asks: Of ARP: who asks for whose MAC address.
        mac: Of ARP: the MAC address of who asks.
    """

    protocol: Protocol
    port: int
    mark: bytes
    own_port: int
    size: int = 0
    asks: Addresses | None = None
    mac: str = ""

    def __str__(self) -> str:
        """What is sent, as people write it."""
        if self.asks:
            return f"ARP, who has {self.asks.target}"
        size = f" of {self.size} bytes" if self.size else ""
        return f"{self.protocol.value}{f':{self.port}' if self.port else ''}{size}"

    @property
    def sequence(self) -> int:
        """TCP's sequence number."""
        return int(struct.unpack("!I", self.mark[:4])[0])

    @property
    def marks(self) -> tuple[bytes, ...]:
        """What frames hold that belong to it: the probe, its answer, an error about it."""
        if self.asks:
            asking = _mac_bytes(self.mac) + self.asks.source.packed
            return (ARP_HEADER + asking, self.asks.target.packed + asking)
        if self.protocol is Protocol.ICMP:
            return (self.mark,)
        if self.protocol is Protocol.TCP:
            return (self.mark[:4], struct.pack("!I", (self.sequence + 1) % 2**32))
        return (struct.pack("!HH", self.own_port, self.port), struct.pack("!HH", self.port, self.own_port))

    @property
    def request_mark(self) -> bytes:
        """What the probe itself holds."""
        return self.marks[0]

    @property
    def answer_mark(self) -> bytes:
        """What its answer holds."""
        return self.marks[-1]

    def frame(self, mac: str, next_mac: str, addresses: Addresses) -> bytes:
        """The probe as the frame that a guest would send."""
        if self.asks:
            return arp_request(mac, self.asks)
        return ethernet(next_mac, mac, IPV4, self.packet(addresses))

    def packet(self, addresses: Addresses) -> bytes:
        """The probe as an IPv4 packet, from where to where."""
        filled = self.mark + bytes(max(0, self.size - 28 - len(self.mark)))
        if self.protocol is Protocol.ICMP:
            body = struct.pack("!BBHHH", ECHO_REQUEST, 0, 0, self.own_port, 1) + filled
            body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
            return ipv4(ICMP, addresses, body)
        if self.protocol is Protocol.UDP:
            body = struct.pack("!HHHH", self.own_port, self.port, 8 + len(filled), 0) + filled
            return ipv4(UDP, addresses, _with_checksum(UDP, addresses, body, 6))
        syn = struct.pack("!HHIIBBHHH", self.own_port, self.port, self.sequence, 0, 5 << 4, 2, 64240, 0, 0)
        return ipv4(TCP, addresses, _with_checksum(TCP, addresses, syn, 16))


def ethernet(target: str, source: str, kind: int, body: bytes) -> bytes:
    """A frame."""
    return _mac_bytes(target) + _mac_bytes(source) + struct.pack("!H", kind) + body


def arp_request(mac: str, addresses: Addresses) -> bytes:
    """Who has the target address? Asked of everybody, as a guest does."""
    body = struct.pack("!HHBBH", 1, IPV4, 6, 4, 1)
    body += _mac_bytes(mac) + addresses.source.packed + bytes(6) + addresses.target.packed
    return ethernet(BROADCAST, mac, ARP, body)


def ipv4(protocol: int, addresses: Addresses, body: bytes) -> bytes:
    """A packet that must not be fragmented."""
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, protocol, 0)
    header += addresses.source.packed + addresses.target.packed
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + body


def checksum(data: bytes) -> int:
    """The internet checksum (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return int(~total & 0xFFFF)


def _with_checksum(protocol: int, addresses: Addresses, body: bytes, at: int) -> bytes:
    pseudo = addresses.source.packed + addresses.target.packed + struct.pack("!BBH", 0, protocol, len(body))
    return body[:at] + struct.pack("!H", checksum(pseudo + body) or 0xFFFF) + body[at + 2 :]


def _mac_bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


class What(StrEnum):
    """What a frame is to a probe."""

    NEIGHBOUR = "ARP"
    REQUEST = "probe"
    ANSWER = "answer"
    REFUSAL = "error"


@dataclass(frozen=True)
class Seen:
    """What a frame of interest says.

    Attributes:
        what: What it is to the probe.
        addresses: The packet's own, inside of any VXLAN.
        source_mac: Who sent the frame.
        target_mac: To whom.
        vni: The VXLAN that it is wrapped in.
        outer: The addresses of the wrapping.
        ttl: The packet's time to live.
        size: The packet's length, with what it is wrapped in.
        text: What an answer or an error says: SYN-ACK, RST, port unreachable.
    """

    what: What
    addresses: Addresses
    source_mac: str
    target_mac: str
    vni: int | None = None
    outer: Addresses | None = None
    ttl: int = 0
    size: int = 0
    text: str = ""


def recognise(frame: bytes, probe: Probe, wrapped: bool = False) -> Seen | None:
    """Reads a frame; None where it has nothing to do with the probe. ARP of others is kept, for the captures.

    Args:
        frame: The frame.
        probe: The probe.
        wrapped: Whether it came in a VXLAN. Nodes wrap once; what a guest wraps itself is a guest's own.
    """
    if len(frame) < 34:
        return None
    target, source, kind = _mac(frame[:6]), _mac(frame[6:12]), struct.unpack("!H", frame[12:14])[0]
    body = frame[14:]
    if kind == VLAN:
        kind, body = struct.unpack("!H", frame[16:18])[0], frame[18:]
    if kind == ARP and len(body) >= 28:
        return _arp(body, source, target, probe)
    if kind != IPV4 or len(body) < 20:
        return None
    header, protocol, size = (body[0] & 15) * 4, body[9], struct.unpack("!H", body[2:4])[0]
    addresses = Addresses(IPv4Address(body[12:16]), IPv4Address(body[16:20]))
    data = body[header:size]
    if not wrapped and protocol == UDP and len(data) > 16 and struct.unpack("!H", data[2:4])[0] in VXLAN_PORTS:
        inner = recognise(data[16:], probe, wrapped=True)
        vni = int.from_bytes(data[12:15])
        return inner and Seen(**{**vars(inner), "vni": vni, "outer": addresses, "size": size})
    known = None if probe.asks else _known(protocol, data, probe)
    return known and Seen(known[0], addresses, source, target, ttl=body[8], size=size, text=known[1])


def _arp(body: bytes, source: str, target: str, probe: Probe) -> Seen:
    addresses, is_request = Addresses(IPv4Address(body[14:18]), IPv4Address(body[24:28])), body[7] == 1
    if probe.asks and addresses == (probe.asks if is_request else probe.asks.back):
        text = "" if is_request else f"it is at {_mac(body[8:14])}"
        return Seen(What.REQUEST if is_request else What.ANSWER, addresses, source, target, size=28, text=text)
    return Seen(What.NEIGHBOUR, addresses, source, target, size=28)


def _known(protocol: int, data: bytes, probe: Probe) -> tuple[What, str] | None:
    if protocol == ICMP and len(data) >= 8:
        return _icmp(data, probe)
    if protocol == TCP == _number(probe) and len(data) >= 20:
        return _tcp(data, probe)
    if protocol == UDP == _number(probe) and len(data) >= 8:
        ports = struct.unpack("!HH", data[:4])
        if probe.mark in data and ports[1] == probe.port:
            return What.REQUEST, ""
        return (What.ANSWER, "datagram") if ports == (probe.port, probe.own_port) else None
    return None


def _icmp(data: bytes, probe: Probe) -> tuple[What, str] | None:
    if data[0] in (UNREACHABLE, TIME_EXCEEDED):
        # It quotes the packet that it is about (RFC 792).
        return (What.REFUSAL, _refusal(data)) if any(mark in data[8:] for mark in probe.marks[:1]) else None
    if probe.protocol is not Protocol.ICMP or probe.mark not in data:
        return None
    return (What.REQUEST, "") if data[0] == ECHO_REQUEST else (What.ANSWER, "echo reply")


def _refusal(data: bytes) -> str:
    if data[0] == TIME_EXCEEDED:
        return "time exceeded"
    if data[1] == 4:
        return f"fragmentation needed, MTU {struct.unpack('!H', data[6:8])[0]}"
    names = {0: "network", 1: "host", 2: "protocol", 3: "port", 9: "network (prohibited)", 10: "host (prohibited)"}
    return f"{names.get(data[1], 'administratively')} unreachable"


def _tcp(data: bytes, probe: Probe) -> tuple[What, str] | None:
    _, _, sequence, acknowledged = struct.unpack("!HHII", data[:12])
    flags = data[13]
    if sequence == probe.sequence and flags & 2:
        return What.REQUEST, ""
    if flags & 16 and acknowledged == (probe.sequence + 1) % 2**32:
        return What.ANSWER, "RST: nobody listens" if flags & 4 else "SYN-ACK"
    return None


def _number(probe: Probe) -> int:
    return {Protocol.ICMP: ICMP, Protocol.TCP: TCP, Protocol.UDP: UDP}.get(probe.protocol, -1)


def _mac(data: bytes) -> str:
    return data.hex(":")
