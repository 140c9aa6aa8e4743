"""Where a probe died: between the last hop that saw it and the next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from labctl.trace.hops import Hop
from labctl.trace.packets import Protocol, What
from labctl.trace.sightings import Passage, Sighting


@dataclass(frozen=True)
class Gap:
    """Between two hops.

    Attributes:
        last: The last hop that saw it; None where nobody did.
        next: The first that should have and did not.
        between: The filters and translations between the two.
        way_back: Whether it was the answer that died.
    """

    last: Passage | None
    next: Passage
    between: tuple[Hop, ...]
    way_back: bool


@dataclass(frozen=True)
class Cause:
    """Why a probe died.

    Attributes:
        id: Such as `security-group`.
        what: In one sentence.
        evidence: What was seen.
        remedy: What to do.
    """

    id: str
    what: str
    evidence: tuple[str, ...]
    remedy: str


@dataclass(frozen=True)
class Fate:
    """What became of a probe.

    Attributes:
        arrived: Whether the other end was reached.
        answered: Whether its answer returned.
        gap: Where it died; None where it did not.
        refusal: The error that came back in place of an answer.
        seconds: From the first sighting to the answer's last.
    """

    arrived: bool
    answered: bool
    gap: Gap | None = None
    refusal: Sighting | None = None
    seconds: float | None = None


def fate_of(passages: Sequence[Passage], protocol: Protocol) -> Fate:
    """Follows a probe there, and its answer back.

    Args:
        passages: What was seen, in the order of the hops.
        protocol: The probe's; nobody has to answer UDP.
    """
    refusals = (one for passage in passages for one in passage.all if one.seen.what is What.REFUSAL)
    refusal = min(refusals, key=lambda one: one.at, default=None)
    gap = _gap(passages, way_back=False)
    if gap:
        return Fate(False, False, gap, refusal)
    gap = _gap(passages, way_back=True)
    if gap and gap.last is None and protocol is Protocol.UDP:
        return Fate(True, False)
    if gap:
        return Fate(True, False, gap, refusal)
    watched = [one for one in passages if one.hop.is_watched]
    first, last = watched[0].there, watched[0].back
    return Fate(True, True, None, refusal, last.at - first.at if first and last else None)


def detour(passages: Sequence[Passage]) -> str:
    """Where a packet first had other addresses than it should have had, in a sentence; empty where it never did."""
    for one in passages:
        if one.there and one.there.seen.addresses != one.hop.addresses:
            saw = f"{one.hop.device} on {one.hop.place} saw {one.there.seen.addresses}"
            return f"{saw}, and should have seen {one.hop.addresses}: look at the translation before it."
    return ""


def _gap(passages: Sequence[Passage], way_back: bool) -> Gap | None:
    """Where it got no further. A hop that missed it is no gap where a later one saw it."""
    journey = list(reversed(passages) if way_back else passages)
    watched = [index for index, one in enumerate(journey) if one.hop.is_watched]
    seen = [index for index in watched if journey[index].on(way_back)]
    last = seen[-1] if seen else -1
    following = [index for index in watched if index > last]
    if not following:
        return None
    between = tuple(one.hop for one in journey[last + 1 : following[0]])
    return Gap(journey[last] if seen else None, journey[following[0]], between, way_back)
