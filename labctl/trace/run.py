"""`labctl trace`: looks, works out the path, watches all of it, sends a probe, looks again, judges."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath

from labctl.cloud.topology import Topology, fetch_topology
from labctl.engine.lookout import Captured, Frame, WatchedDevice, Watcher, host_watcher, node_watcher
from labctl.lab.addresses import AddressPlan
from labctl.trace.causes import cause_of
from labctl.trace.causes.case import Case
from labctl.trace.ends import Wanted, path_of
from labctl.trace.hops import Kind, Path
from labctl.trace.kernel import HOST, Kernels, Place, parse_kernel
from labctl.trace.packets import ARP_HEADER, Probe, Protocol
from labctl.trace.path import NODE
from labctl.trace.sightings import Passage, passages
from labctl.trace.verdict import Cause, Fate, fate_of

WAIT_SECONDS = 0.7
"""How long an answer may take; the first to a new address takes some tens of milliseconds."""
FIRST_PORT = 33434
"""Above what services listen on, where traceroute(8) begins too."""
PROBES = 3
"""Sent one after the other until one is answered; as many dropped packets are what a counter is asked for."""


@dataclass(frozen=True)
class Target:
    """The lab that is traced in.

    Attributes:
        lab: Its name.
        clouds_yaml: How to speak to its cloud.
        plan: Its addresses.
        nodes: The names of its nodes, the network node among them.
        image: The agents' image.
    """

    lab: str
    clouds_yaml: FilePath
    plan: AddressPlan
    nodes: tuple[str, ...]
    image: str


@dataclass(frozen=True)
class Probes:
    """What is sent, in this order; each has a mark of its own.

    Attributes:
        neighbour: The ARP request for the next hop; None from the host, whose kernel asks by itself.
        small: The probe, and again while it is not answered.
        large: Pings as large as the path should take.
    """

    neighbour: Probe | None
    small: tuple[Probe, ...]
    large: tuple[Probe, ...]

    @classmethod
    def new(cls, wanted: Wanted, path: Path) -> "Probes":
        """The probes for a path."""
        neighbour = None
        if path.origin.tap:
            asks = path.to_neighbour().addresses
            neighbour = Probe(Protocol.ARP, 0, b"", 0, asks=asks, mac=path.origin.mac)
        # What is far away need not answer large pings.
        has_sizes = wanted.protocol is Protocol.ICMP and not path.leads_away
        large = tuple(new_probe(wanted, path.mtu) for _ in range(PROBES if has_sizes else 0))
        return cls(neighbour, tuple(new_probe(wanted) for _ in range(PROBES)), large)

    @property
    def marks(self) -> tuple[bytes, ...]:
        """What frames hold that belong to any of them, and ARP, which tells who knew whom."""
        probes = (*self.small, *self.large)
        return (*(mark for probe in probes for mark in probe.marks), ARP_HEADER[:8])


def new_probe(wanted: Wanted, size: int = 0) -> Probe:
    """A probe from a port that nobody is likely to use."""
    port = FIRST_PORT + secrets.randbelow(65536 - FIRST_PORT)
    return Probe(wanted.protocol, wanted.port, secrets.token_bytes(8), port, size)


@dataclass(frozen=True)
class Attempt:
    """The probe that decides: the last one that was sent.

    Attributes:
        path: Its way.
        probe: What was sent.
        sent: How often.
    """

    path: Path
    probe: Probe
    sent: int


@dataclass(frozen=True)
class Trace:
    """What came of it.

    Attributes:
        path: The way that the packet should take.
        probe: What was sent.
        sent: How often.
        passages: What was seen of it, hop by hop.
        fate: What became of it.
        cause: Why it died; None where it did not.
        kernels: What the kernels said, after it.
    """

    path: Path
    probe: Probe
    sent: int
    passages: tuple[Passage, ...]
    fate: Fate
    cause: Cause | None
    kernels: Kernels


def trace(target: Target, wanted: Wanted) -> Trace:
    """Traces a packet.

    Raises:
        BadInput: There is no such server or address, or no packet could go that way.
        CloudCheckFailed: The cloud's APIs did not answer.
        CommandFailed: A node could not be looked at.
    """
    with _watchers(target) as watchers, ThreadPoolExecutor(len(watchers) + 1) as pool:
        asked = pool.submit(_topology, target)
        looked = {name: pool.submit(one.look, (_own(name),)) for name, one in watchers.items()}
        connections = Kernels(
            {
                Place(name, _own(name)): parse_kernel(text)
                for name, one in looked.items()
                for text in one.result().values()
            }
        )
        topology = asked.result()
        path = path_of(topology, connections, target.plan, wanted)
        before = _look(pool, watchers, path, connections)
        probes = Probes.new(wanted, path)
        unwatched = _watch(pool, watchers, path, probes)
        attempt = _send(watchers, path, probes, unwatched)
        captured = [one.result() for one in [pool.submit(one.stop) for one in watchers.values()]]
        after = _look(pool, watchers, path, None)
    return judge(topology, attempt, captured, unwatched, before, after)


def judge(
    topology: Topology, attempt: Attempt, captured: Sequence[Captured], unwatched: Mapping[int, str],
    before: Kernels, after: Kernels,
) -> Trace:  # fmt: skip
    """What came of the probe that was sent last. Pure."""
    path, probe, sent = attempt.path, attempt.probe, attempt.sent
    frames: list[Frame] = [frame for one in captured for frame in one.frames]
    lost = {number: count for one in captured for number, count in one.lost.items()}
    seen = passages(path, probe, frames, unwatched, lost)
    fate = fate_of(seen, probe.protocol)
    cause = None
    if fate.gap:
        cause = cause_of(Case(path, seen, fate, fate.gap, probe, sent, topology, before, after))
    return Trace(path, probe, sent, seen, fate, cause, after)


@contextmanager
def _watchers(target: Target) -> Iterator[dict[str, Watcher]]:
    """A watcher in every node and one on the host, by name."""
    with ExitStack() as stack:
        found = {HOST: stack.enter_context(host_watcher(target.image, target.lab))}
        for node in target.nodes:
            found[node] = stack.enter_context(node_watcher(f"{target.lab}-{node}"))
        yield found


def _topology(target: Target) -> Topology:
    # Importing openstacksdk takes as long as starting the watchers, which go on meanwhile.
    from labctl.cloud.connection import connect

    admin = connect(target.clouds_yaml, f"{target.lab}-admin")
    try:
        return fetch_topology(admin)
    finally:
        admin.session.session.close()
        admin.close()


def _own(name: str) -> str:
    """The namespace that a node's watcher looks at first."""
    return "" if name == HOST else NODE


def _look(pool: ThreadPoolExecutor, watchers: Mapping[str, Watcher], path: Path, known: Kernels | None) -> Kernels:
    """What the kernels of all places of a path say; what is known already is not asked again."""
    places = dict.fromkeys(hop.place for hop in path.hops if known is None or hop.place not in known)
    asked = {
        node: pool.submit(watchers[node].look, tuple(one.namespace for one in places if one.node == node))
        for node in dict.fromkeys(place.node for place in places)
        if node in watchers
    }
    found = {
        Place(node, namespace): parse_kernel(text)
        for node, one in asked.items()
        for namespace, text in one.result().items()
    }
    return Kernels({**(known.by_place if known else {}), **found})


def _watch(pool: ThreadPoolExecutor, watchers: Mapping[str, Watcher], path: Path, probes: Probes) -> dict[int, str]:
    """Begins to watch every device of a path; returns why it cannot, by the hop's number."""
    asked = []
    for node, watcher in watchers.items():
        devices = tuple(
            WatchedDevice(number, hop.place.namespace, hop.device, hop.kind is Kind.BRIDGE)
            for number, hop in path.watched
            if hop.place.node == node
        )
        if devices:
            asked.append(pool.submit(watcher.watch, devices, probes.marks))
    return {number: reason for one in asked for number, reason in one.result().items()}


def _send(watchers: Mapping[str, Watcher], path: Path, probes: Probes, unwatched: Mapping[int, str]) -> Attempt:
    """Sends probes until one of a kind is not answered, or all were; returns the one that decides."""
    mac = path.origin.next_mac
    if path.watched[0][0] in unwatched:  # a server without a tap sends nothing
        return Attempt(path, probes.small[0], 0)
    if probes.neighbour:
        sent, told = _ask(watchers, path, (probes.neighbour,) * PROBES, mac)
        if told is None:
            return Attempt(path.to_neighbour(), probes.neighbour, sent)
        mac = told[6:12].hex(":")
    sent, answer = _ask(watchers, path, probes.small, mac)
    if answer and probes.large:
        largest, whole = _ask(watchers, path, probes.large, mac)
        if whole is None:
            return Attempt(path, probes.large[largest - 1], largest)
    return Attempt(path, probes.small[sent - 1], sent)


def _ask(watchers: Mapping[str, Watcher], path: Path, probes: Sequence[Probe], mac: str) -> tuple[int, bytes | None]:
    """Sends probes until one is answered; returns how many were, and the frame of the answer."""
    origin, watcher = path.origin, watchers[path.origin.place.node]
    first, hop = path.watched[0]
    for number, probe in enumerate(probes, 1):
        if origin.tap:
            frame = probe.frame(origin.mac, mac, path.addresses)
            watcher.send_as_guest(origin.place.namespace, origin.tap, (frame,))
        else:
            watcher.send((probe.packet(path.addresses),), str(path.addresses.target))
        if answer := watcher.wait(first, probe.answer_mark, hop.leaves_on(True), WAIT_SECONDS):
            return number, answer
    return len(probes), None
