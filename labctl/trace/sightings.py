"""What was seen of a probe, hop by hop. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from labctl.engine.lookout import Frame
from labctl.trace.hops import Hop, Path
from labctl.trace.packets import Probe, Seen, What, recognise


@dataclass(frozen=True)
class Sighting:
    """A frame of interest that a device has seen."""

    at: float
    leaves: bool
    seen: Seen
    frame: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Passage:
    """What was seen at a hop.

    Attributes:
        number: The hop's, from 1.
        hop: The hop.
        there: The probe.
        back: Its answer, or an error about it.
        all: Everything, in order of time.
        unwatched: Why the device could not be watched; empty where it was.
        lost: How many frames it had no room for.
    """

    number: int
    hop: Hop
    there: Sighting | None = None
    back: Sighting | None = None
    all: tuple[Sighting, ...] = ()
    unwatched: str = ""
    lost: int = 0

    def on(self, way_back: bool) -> Sighting | None:
        """What was seen on one of the two ways."""
        return self.back if way_back else self.there


def passages(
    path: Path, probe: Probe, frames: Sequence[Frame], unwatched: Mapping[int, str], lost: Mapping[int, int]
) -> tuple[Passage, ...]:
    """Sorts what was captured by the hops of a path.

    Args:
        path: The path; its hops' numbers are those of the frames.
        probe: What was sent.
        frames: What was captured.
        unwatched: Number to why a device could not be watched.
        lost: Number to how many frames a device lost.
    """
    by_number: dict[int, list[Sighting]] = {}
    for frame in sorted(frames, key=lambda one: one.at):
        if seen := recognise(frame.data, probe):
            by_number.setdefault(frame.number, []).append(Sighting(frame.at, frame.leaves, seen, frame.data))
    there = _in_order(path, by_number, way_back=False)
    back = _in_order(path, by_number, way_back=True)
    return tuple(
        Passage(
            number,
            hop,
            there.get(number),
            back.get(number),
            tuple(by_number.get(number, ())),
            unwatched.get(number, ""),
            lost.get(number, 0),
        )
        for number, hop in enumerate(path.hops, 1)
    )


def _in_order(path: Path, by_number: Mapping[int, Sequence[Sighting]], way_back: bool) -> dict[int, Sighting]:
    """The first sighting on one way for each hop; a device that is passed twice has seen it twice."""
    found: dict[int, Sighting] = {}
    passed: dict[tuple[object, ...], int] = {}
    for number, hop in reversed(path.watched) if way_back else path.watched:
        leaves = hop.leaves_on(way_back)
        fitting = list(_fitting(by_number.get(number, ()), hop, way_back))
        turn = passed.get((hop.place, hop.device, hop.vni, leaves), 0)
        passed[hop.place, hop.device, hop.vni, leaves] = turn + 1
        if turn < len(fitting):
            found[number] = fitting[turn]
    return found


def _fitting(sightings: Sequence[Sighting], hop: Hop, way_back: bool) -> Iterator[Sighting]:
    """Those of the right kind, in the right direction and VXLAN: a packet may pass a wire in several."""
    wanted = (What.ANSWER, What.REFUSAL) if way_back else (What.REQUEST,)
    leaves = hop.leaves_on(way_back)
    return (one for one in sightings if one.leaves == leaves and one.seen.what in wanted and one.seen.vni == hop.vni)
