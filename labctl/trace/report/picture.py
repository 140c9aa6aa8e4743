"""A trace as a picture: a column for each stay in a namespace, from left to right; hops from top to bottom."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from jinja2 import Environment, PackageLoader, StrictUndefined

from labctl.trace.hops import Kind
from labctl.trace.report.text import milliseconds, verdict
from labctl.trace.run import Trace
from labctl.trace.sightings import Passage

LETTER = 7.3
"""The width of a letter: the font has letters of one width, 0.6 of its size of 12."""
LINE = 16
MARGIN, GUTTER, GAP, INSIDE = 24, 36, 14, 10
HEAD = 64


@dataclass(frozen=True)
class Box:
    """A hop.

    Attributes:
        x: Its left edge.
        y: Its upper edge.
        height: Its height.
        lines: What stands in it.
        state: seen, unseen (it died before), missed (the first that should have seen it) or silent (sees nothing).
    """

    x: float
    y: float
    height: float
    lines: tuple[str, ...]
    state: str


@dataclass(frozen=True)
class Line:
    """A line from one box to the next, as the points of its bends."""

    points: str
    state: str


@dataclass(frozen=True)
class Lane:
    """A column: its place, its left edge."""

    title: str
    x: float
    width: float


@dataclass(frozen=True)
class Picture:
    """Everything with its place."""

    title: str
    width: float
    height: float
    lanes: tuple[Lane, ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    verdict: tuple[str, ...]
    verdict_y: float
    is_dead: bool


def as_svg(trace: Trace) -> str:
    """The picture as an SVG file that needs nothing else."""
    environment = Environment(
        loader=PackageLoader(__package__, "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("picture.svg.j2").render(
        picture=lay_out(trace), line=LINE, inside=INSIDE, head=HEAD
    )


def lay_out(trace: Trace) -> Picture:
    """Gives everything its place; a column is as wide as its longest line, so that nothing overlaps."""
    lanes: list[Lane] = []
    boxes: list[Box] = []
    x, bottom = float(MARGIN), 0.0
    labels = dict(zip(trace.passages, _labels(trace), strict=True))
    for place, stay in groupby(trace.passages, key=lambda one: one.hop.place):
        column = list(stay)
        width = max(len(line) for one in column for line in labels[one]) * LETTER + 2 * INSIDE
        y = float(HEAD + LINE)
        for one in column:
            tall = len(labels[one]) * LINE + INSIDE
            boxes.append(Box(x, y, tall, labels[one], _state(trace, one)))
            y += tall + GAP
        lanes.append(Lane(str(place), x, width))
        x, bottom = x + width + GUTTER, max(bottom, y)
    width = max(x - GUTTER + MARGIN, 80 * LETTER)
    text = tuple(part for line in verdict(trace) for part in textwrap.wrap(line, int((width - 2 * MARGIN) / LETTER)))
    height = bottom + (len(text) + 1) * LINE + MARGIN
    lines = tuple(_lines(boxes, lanes, trace.passages))
    title = f"{trace.path.title}, {trace.probe}"
    return Picture(
        title, width, height, tuple(lanes), tuple(boxes), lines, text, bottom + LINE, trace.cause is not None
    )


def _labels(trace: Trace) -> Iterator[tuple[str, ...]]:
    """What stands in each box: the packet's addresses where they are others than before."""
    before = ""
    for one in trace.passages:
        hop = one.hop
        if not hop.is_watched:
            yield (hop.name,)
            continue
        seen = one.there.seen if one.there else None
        addresses = str(seen.addresses if seen else hop.addresses)
        wrapped = f"in VXLAN {seen.vni}, {seen.outer}" if seen and seen.outer else ""
        shown = wrapped or addresses
        device = trace.kernels.at(hop.place).device(hop.device)
        mtu = f" mtu {device.mtu}" if device else ""
        times = f"{milliseconds(trace, one, False)} ms there, {milliseconds(trace, one, True)} ms back"
        yield (f"{one.number} {hop.name}", f"{hop.device}{mtu}", times, *((shown,) if shown != before else ()))
        before = shown


def _state(trace: Trace, passage: Passage) -> str:
    gap = trace.fate.gap
    if gap and gap.next.number == passage.number:
        return "missed"
    if not passage.hop.is_watched:
        return "translated" if passage.hop.kind is Kind.NAT else "silent"
    return "seen" if passage.there else "unseen"


def _lines(boxes: Sequence[Box], lanes: Sequence[Lane], passages: Sequence[Passage]) -> Iterator[Line]:
    widths = {lane.x: lane.width for lane in lanes}
    for index, (one, two) in enumerate(pairwise(boxes)):
        state = "seen" if any(passage.there for passage in passages[index + 1 :]) else "unseen"
        if one.x == two.x:
            middle = one.x + widths[one.x] / 2
            yield Line(f"{middle:.1f},{one.y + one.height:.1f} {middle:.1f},{two.y:.1f}", state)
        else:
            right = one.x + widths[one.x]
            turn, here, there = right + GUTTER / 2, one.y + one.height / 2, two.y + two.height / 2
            points = ((right, here), (turn, here), (turn, there), (two.x, there))
            yield Line(" ".join(f"{x:.1f},{y:.1f}" for x, y in points), state)
