"""A trace as a table and a verdict, for people."""

from labctl.trace.hops import Kind
from labctl.trace.packets import Protocol
from labctl.trace.run import Trace
from labctl.trace.sightings import Passage
from labctl.trace.verdict import detour
from labctl.ui.table import table

HEADINGS = ("", "where", "device", "what it is", "there", "back", "MTU", "packet")


def as_text(trace: Trace) -> str:
    """The hops in order, with milliseconds since the probe was sent, and what became of it."""
    rows = [row(trace, passage) for passage in trace.passages]
    return "\n".join((f"{trace.path.title}, {trace.probe}", table([HEADINGS, *rows]), "", *verdict(trace)))


def row(trace: Trace, passage: Passage) -> tuple[str, ...]:
    """A line of the table."""
    hop = passage.hop
    device = trace.kernels.at(hop.place).device(hop.device)
    shown = hop.is_watched or hop.kind is Kind.NAT
    return (
        f"{passage.number}",
        str(hop.place),
        hop.device if hop.is_watched else "",
        hop.name,
        milliseconds(trace, passage, way_back=False) if hop.is_watched else "",
        milliseconds(trace, passage, way_back=True) if hop.is_watched else "",
        str(device.mtu) if device and hop.is_watched else "",
        packet(passage) if shown else "",
    )


def milliseconds(trace: Trace, passage: Passage, way_back: bool) -> str:
    """When a hop saw it, after the first that did."""
    first = next((one.there for one in trace.passages if one.there), None)
    seen = passage.on(way_back)
    if seen is None:
        return (passage.unwatched and "not there") or "-"
    return f"{(seen.at - (first or seen).at) * 1000:.2f}"


def packet(passage: Passage) -> str:
    """The addresses that were seen, or should have been, and what the packet was wrapped in."""
    hop, seen = passage.hop, passage.there.seen if passage.there else None
    if hop.kind is Kind.NAT:
        return ""
    if seen is None:
        return f"({hop.addresses}{f' in VXLAN {hop.vni}' if hop.vni else ''})"
    wrapped = f" in VXLAN {seen.vni}, {seen.outer}" if seen.outer else ""
    return f"{seen.addresses}{wrapped}"


def verdict(trace: Trace) -> tuple[str, ...]:
    """What became of it, in sentences."""
    fate, cause = trace.fate, trace.cause
    if cause:
        refusal = (f"  {fate.refusal.seen.addresses.source} says: {fate.refusal.seen.text}",) if fate.refusal else ()
        lines = (f"  {line}" for line in cause.evidence)
        return (
            died(trace),
            f"  [{cause.id}] {cause.what}",
            *lines,
            *refusal,
            f"  What to do: {cause.remedy}",
            *losses(trace),
        )
    if not fate.answered:
        assert trace.probe.protocol is Protocol.UDP  # noqa: S101 - see fate_of
        return ("The packet arrived. Nobody answered, which UDP allows.", *losses(trace))
    answers = (one.back.seen.text for one in trace.passages if one.back)
    again = f", to the {ordinal(trace.sent)} probe" if trace.sent > 1 else ""
    took = f" after {fate.seconds * 1000:.1f} ms" if fate.seconds is not None else ""
    arrived = f"The packet arrived, and the answer ({next(answers)}) came back{took}{again}."
    return (arrived, *filter(None, (detour(trace.passages),)), *losses(trace))


def died(trace: Trace) -> str:
    """Where it died."""
    gap = trace.fate.gap
    assert gap  # noqa: S101 - it died
    what = "The packet arrived; its answer died" if gap.way_back else "The packet died"
    if gap.last is None:
        unsent = "nobody answered" if gap.way_back else f"{gap.next.hop.device} on {gap.next.hop.place} never saw it"
        return f"{'The packet arrived' if gap.way_back else 'The packet died'}: {unsent}."
    last, next_ = gap.last.hop, gap.next.hop
    return f"{what} between {last.device} on {last.place} (hop {gap.last.number}) and {next_.device} on {next_.place}."


def losses(trace: Trace) -> tuple[str, ...]:
    """What the captures may have missed."""
    return tuple(
        f"Not seen by {one.hop.device}: {one.lost} frames, too many at once." for one in trace.passages if one.lost
    )


def ordinal(number: int) -> str:
    """First, second, third."""
    return ("first", "second", "third")[number - 1]
