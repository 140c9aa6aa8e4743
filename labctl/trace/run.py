"""`labctl trace`: looks, works out the path, watches all of it, sends a probe, looks again, judges."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path as FilePath

from labctl.cloud.connection import connect
from labctl.cloud.topology import Topology, fetch_topology
from labctl.engine.lookout import Captured, Frame, WatchedDevice, Watcher, host_watcher, node_watcher
from labctl.lab.addresses import AddressPlan
from labctl.trace.causes import cause_of
from labctl.trace.causes.case import Case
from labctl.trace.ends import Wanted, path_of
from labctl.trace.hops import Kind, Path
from labctl.trace.kernel import HOST, Kernels, Place, parse_kernel
from labctl.trace.packets import ARP_HEADER, IPV4, Probe, ethernet
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
        probes = tuple(new_probe(wanted) for _ in range(PROBES))
        unwatched = _watch(pool, watchers, path, probes)
        sent = _send(watchers, path, probes)
        captured = [one.result() for one in [pool.submit(one.stop) for one in watchers.values()]]
        after = _look(pool, watchers, path, None)
    return judge(topology, path, probes[sent - 1], sent, captured, unwatched, before, after)


def new_probe(wanted: Wanted) -> Probe:
    """A probe with a mark of its own, from a port that nobody is likely to use."""
    return Probe(
        wanted.protocol, wanted.port, secrets.token_bytes(8), FIRST_PORT + secrets.randbelow(65536 - FIRST_PORT)
    )


def judge(
    topology: Topology, path: Path, probe: Probe, sent: int, captured: Sequence[Captured], unwatched: Mapping[int, str],
    before: Kernels, after: Kernels,
) -> Trace:  # fmt: skip
    """What came of the probe that was sent last. Pure."""
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


def _watch(
    pool: ThreadPoolExecutor, watchers: Mapping[str, Watcher], path: Path, probes: Sequence[Probe]
) -> dict[int, str]:
    """Begins to watch every device of a path; returns why it cannot, by the hop's number."""
    asked = []
    for node, watcher in watchers.items():
        devices = tuple(
            WatchedDevice(number, hop.place.namespace, hop.device, hop.kind is Kind.BRIDGE)
            for number, hop in path.watched
            if hop.place.node == node
        )
        if devices:
            asked.append(
                pool.submit(
                    watcher.watch, devices, (*(mark for probe in probes for mark in probe.marks), ARP_HEADER[:8])
                )
            )
    return {number: reason for one in asked for number, reason in one.result().items()}


def _send(watchers: Mapping[str, Watcher], path: Path, probes: Sequence[Probe]) -> int:
    """Sends probes until one is answered; returns how many were."""
    origin, watcher = path.origin, watchers[path.origin.place.node]
    first, hop = path.watched[0]
    for number, probe in enumerate(probes, 1):
        packet = probe.packet(path.addresses, number)
        if origin.tap:
            frame = ethernet(origin.next_mac, origin.mac, IPV4, packet)
            watcher.send_as_guest(origin.place.namespace, origin.tap, (frame,))
        else:
            watcher.send((packet,), str(path.addresses.target))
        if watcher.wait(first, probe.answer_mark, hop.leaves_on(True), 1, WAIT_SECONDS):
            return number
    return len(probes)
