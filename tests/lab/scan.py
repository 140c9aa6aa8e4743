"""Looks for what answers: TCP and UDP ports of addresses, asked with raw sockets. Standard library only.

It reads one JSON object from its argument: {"full": [ADDRESS, ...], "some": [ADDRESS, ...], "ports": [PORT, ...]}. Of
the addresses in `full` every port is asked, of those in `some` these ports. It prints, for each address, the TCP ports
that take connections, and whether anything says that a UDP datagram came to its host: an answer, or that a port is
closed there.

A SYN for each port and a look at what comes back: a connection for each would take minutes where packets are dropped.
(RFC 9293; the checksum is that of RFC 1071.)
"""

import json
import select
import socket
import struct
import sys
import time

SOURCE_PORT = 31313
QUIET_SECONDS = 1.0
"""So long after the last question nothing more comes: everything is on this machine."""
EVERY = range(1, 65536)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def own_address(target):
    """The address from which the kernel would send there."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((target, 9))
        return sock.getsockname()[0]


class Scan:
    """Asks, and keeps what came back."""

    def __init__(self):
        self.tcp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
        self.icmp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        for sock in (self.tcp, self.icmp, self.udp):
            sock.setblocking(False)
        # Errors of ICMP come to the raw socket; the datagrams' own would fail the next send.
        self.open, self.udp_arrived = set(), set()

    def ask(self, target, ports):
        try:
            source = own_address(target)
        except OSError:
            return  # no way there at all
        fixed = socket.inet_aton(source) + socket.inet_aton(target) + struct.pack("!HH", socket.IPPROTO_TCP, 20)
        base = checksum(fixed + struct.pack("!HHIIHHHH", SOURCE_PORT, 0, 1, 0, 0x5002, 1024, 0, 0))
        for count, port in enumerate(ports):
            total = base + port
            total = ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
            packet = struct.pack("!HHIIHHHH", SOURCE_PORT, port, 1, 0, 0x5002, 1024, total, 0)
            self.send(self.tcp, packet, (target, 0))
            self.send(self.udp, b"labctl", (target, port))
            if count % 64 == 0:
                self.hear(0)

    def send(self, sock, data, where):
        while True:
            try:
                sock.sendto(data, where)
            except BlockingIOError:
                self.hear(0.01)
                continue
            except OSError:
                pass  # forbidden, unreachable, or what an earlier datagram met with: no answer
            return

    def hear(self, seconds):
        """Takes what has come; waits for the first of it."""
        while ready := select.select([self.tcp, self.icmp, self.udp], [], [], seconds)[0]:
            for sock in ready:
                try:
                    data, (sender, port) = sock.recvfrom(2048)
                except OSError:
                    continue
                self.understand(sock, data, sender, port)
            seconds = 0

    def understand(self, sock, data, sender, port):
        if sock is self.udp:
            self.udp_arrived.add(sender)
            return
        body = data[(data[0] & 15) * 4 :]
        if sock is self.tcp:
            source, target = struct.unpack("!HH", body[:4])
            if target == SOURCE_PORT and body[13] & 0x12 == 0x12:
                self.open.add((sender, source))
        # Destination unreachable, port unreachable (RFC 792), of a UDP datagram; it holds that datagram's head.
        elif body[:2] == b"\x03\x03" and body[8 + 9] == socket.IPPROTO_UDP:
            self.udp_arrived.add(socket.inet_ntoa(body[8 + 16 : 8 + 20]))

    def until_quiet(self):
        end = time.monotonic() + QUIET_SECONDS
        while time.monotonic() < end:
            self.hear(0.1)


def main(asked):
    scan = Scan()
    for target in asked["full"]:
        scan.ask(target, EVERY)
    for target in asked["some"]:
        scan.ask(target, asked["ports"])
    scan.until_quiet()
    targets = (*asked["full"], *asked["some"])
    print(
        json.dumps(
            {
                target: {
                    "tcp": sorted(port for address, port in scan.open if address == target),
                    "udp": target in scan.udp_arrived,
                }
                for target in targets
            }
        )
    )


main(json.loads(sys.argv[1]))
