"""Runs inside of a node, or beside the host's network: looks at kernels, watches devices, sends a probe.

Standard library only: an image's Python runs it, as root. It is told what to do in lines of JSON on its standard input,
and answers each with one line. It ends, and leaves nothing, when its input ends.
"""

import ctypes
import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

Order = dict[str, Any]
"""What is asked, and the answer: lines of JSON, as labctl/engine/lookout writes and reads them."""

ETH_P_ALL = 3
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC, PACKET_STATISTICS = 263, 1, 1, 6
SO_TIMESTAMPNS, SO_RCVBUFFORCE = 35, 33
CLONE_NEWNET = 0x40000000
BUFFER = 4 << 20
LOOK = """
part() { echo "#$1"; shift; "$@" 2>/dev/null || true; echo; }
part devices ip -details -json address show
part forwarding bridge -json fdb show
part neighbours ip -json neighbour show
part routes ip -json route show
part rules iptables-nft-save --counters
part old_rules iptables-legacy-save --counters
part frame_rules ebtables-save -c
part queues tc qdisc show
part settings grep -H . /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/rp_filter \
    /proc/sys/net/bridge/bridge-nf-call-iptables
"""
"""What is looked at; each part is a heading, and what a program of the kernel's own says."""

libc = ctypes.CDLL(None, use_errno=True)


@contextmanager
def inside(namespace: str) -> Iterator[None]:
    """In a named network namespace for a while; an empty name is this one."""
    if not namespace:
        yield
        return
    with Path("/proc/self/ns/net").open() as before, Path(f"/run/netns/{namespace}").open() as there:
        enter(there)
        try:
            yield
        finally:
            enter(before)


def enter(namespace: IO[str]) -> None:
    """Enters an open namespace (setns(2), which Python 3.11 does not have)."""
    if libc.setns(namespace.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def look(order: Order) -> Order:
    """Namespace to what its kernel says, as text; nothing for a namespace that is not there."""
    running = {}
    for namespace in order["namespaces"]:
        if not namespace or Path(f"/run/netns/{namespace}").exists():
            with inside(namespace):
                running[namespace] = subprocess.Popen(["sh", "-c", LOOK], stdout=subprocess.PIPE, text=True)
    return {"namespaces": {namespace: one.communicate()[0] for namespace, one in running.items()}}


class Watch:
    """A device whose frames are kept where they hold one of the marks."""

    def __init__(self, point: Order, marks: list[bytes]) -> None:
        self.number: int = point["number"]
        self.marks = marks
        self.frames: list[tuple[float, bool, bytes]] = []
        self.lost = 0
        with inside(point["namespace"]):
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
            self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            if point["is_bridge"]:
                index = socket.if_nametoindex(point["device"])
                request = struct.pack("iHH8s", index, PACKET_MR_PROMISC, 0, b"")
                self.socket.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, request)
            self.socket.bind((point["device"], ETH_P_ALL))
            self.socket.setblocking(False)

    def read(self) -> None:
        """Takes what has arrived."""
        while True:
            try:
                data, extra, _, address = self.socket.recvmsg(65535, 256)
            except BlockingIOError:
                return
            except OSError:  # the device went away
                return
            if any(mark in data for mark in self.marks):
                seconds, nanoseconds = struct.unpack("qq", extra[0][2][:16]) if extra else (time.time(), 0)
                leaves = address[2] == socket.PACKET_OUTGOING
                self.frames.append((seconds + nanoseconds / 1e9, leaves, data))

    def close(self) -> None:
        """Takes the rest, and asks how much there was no room for (packet(7))."""
        self.read()
        _, self.lost = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
        self.socket.close()


class Watcher:
    """Does what it is told."""

    def __init__(self) -> None:
        self.watches: list[Watch] = []

    def watch(self, order: Order) -> Order:
        """Begins to watch devices; answers with those that are not there."""
        marks, missing = [bytes.fromhex(mark) for mark in order["marks"]], []
        for point in order["points"]:
            try:
                self.watches.append(Watch(point, marks))
            except PermissionError:
                raise
            except OSError as error:
                missing.append([point["number"], error.strerror])
        return {"missing": missing}

    def send(self, order: Order) -> Order:
        """Sends frames as if a tap's guest had sent them, or packets from this network namespace."""
        if order["tap"]:
            with inside(order["namespace"]):
                as_guest(order["tap"], [bytes.fromhex(frame) for frame in order["frames"]])
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
                for packet in order["frames"]:
                    try:
                        raw.sendto(bytes.fromhex(packet), (order["to"], 0))
                    except OSError as error:
                        return {"refused": error.strerror}
        return {}

    def wait(self, order: Order) -> Order:
        """Waits until a device has seen a frame with the mark in that direction; answers with the first."""
        watch = next((one for one in self.watches if one.number == order["number"]), None)
        mark, deadline = bytes.fromhex(order["mark"]), time.monotonic() + order["seconds"]
        while True:
            for one in self.watches:
                one.read()
            frames = watch.frames if watch else []
            seen = (data for _, leaves, data in frames if leaves == order["leaves"] and mark in data)
            first, left = next(seen, None), deadline - time.monotonic()
            if first or left <= 0:
                return {"frame": first.hex() if first else None}
            select.select([one.socket for one in self.watches], [], [], min(left, 0.02))

    def stop(self, _: Order) -> Order:
        """Ends the watch; answers with what was captured."""
        for one in self.watches:
            one.close()
        frames = [[one.number, at, leaves, data.hex()] for one in self.watches for at, leaves, data in one.frames]
        lost = {one.number: one.lost for one in self.watches if one.lost}
        self.watches = []
        return {"frames": frames, "lost": lost}


def as_guest(tap: str, frames: list[bytes]) -> None:
    """Has frames come in by a tap, through everything that those of its guest pass.

    What leaves a packet socket on the tap goes towards the guest. So a device is made for a moment whose outgoing
    frames the kernel redirects to where the tap's incoming ones arrive (tc-mirred(8)). Nothing is changed on the tap.
    """
    name = f"tr{os.urandom(4).hex()}"
    command("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}p")
    try:
        Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        command("tc", "qdisc", "add", "dev", name, "clsact")
        for order, protocol in enumerate(("ip", "arp"), 1):
            match = ("u32", "match", "u32", "0", "0", "action", "mirred", "ingress", "redirect", "dev", tap)
            where = ("dev", name, "egress", "protocol", protocol, "prio", str(order))
            command("tc", "filter", "add", *where, *match)
        command("ip", "link", "set", name, "up")
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as sender:
            sender.bind((name, 0))
            for frame in frames:
                sender.send(frame)
    finally:
        command("ip", "link", "delete", name)


def command(*argv: str) -> None:
    """Runs a program that must work."""
    ended = subprocess.run(argv, capture_output=True, text=True)
    if ended.returncode:
        raise OSError(ended.returncode, f"{' '.join(argv)}: {ended.stderr.strip()}")


def main() -> None:
    """Follows orders until there are no more."""
    watcher = Watcher()
    orders: dict[str, Callable[[Order], Order]] = {
        "look": look,
        "watch": watcher.watch,
        "send": watcher.send,
        "wait": watcher.wait,
        "stop": watcher.stop,
    }
    for line in sys.stdin:
        order = json.loads(line)
        try:
            answer = orders[order["do"]](order)
        except OSError as error:
            answer = {"error": error.strerror or str(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
