"""A trace for programs, as one JSON object."""

import json
from dataclasses import asdict
from typing import Any

from labctl.trace.run import Trace
from labctl.trace.sightings import Passage, Sighting
from labctl.trace.verdict import detour


def as_json(trace: Trace) -> str:
    """The path, what was seen at each hop, and the verdict."""
    fate, first = trace.fate, next((one.there.at for one in trace.passages if one.there), 0.0)
    return json.dumps(
        {
            "from": str(trace.path.addresses.source),
            "to": str(trace.path.addresses.target),
            "protocol": trace.probe.protocol.value,
            "port": trace.probe.port or None,
            "size": trace.probe.size or None,
            "sent": trace.sent,
            "arrived": fate.arrived,
            "answered": fate.answered,
            "seconds": None if fate.seconds is None else round(fate.seconds, 6),
            "error": fate.refusal.seen.text if fate.refusal else None,
            "died_after": fate.gap.last.number if fate.gap and fate.gap.last else None,
            "died_on_the_way": None if fate.gap is None else "back" if fate.gap.way_back else "there",
            "detour": detour(trace.passages) or None,
            "cause": asdict(trace.cause) if trace.cause else None,
            "hops": [_hop(trace, passage, first) for passage in trace.passages],
        }
    )


def _hop(trace: Trace, passage: Passage, first: float) -> dict[str, Any]:
    hop = passage.hop
    device = trace.kernels.at(hop.place).device(hop.device)
    return {
        "number": passage.number,
        "name": hop.name,
        "kind": hop.kind.value,
        "node": hop.place.node,
        "namespace": hop.place.namespace or None,
        "device": hop.device,
        "mtu": device.mtu if device else None,
        "source": str(hop.addresses.source),
        "target": str(hop.addresses.target),
        "vni": hop.vni,
        "is_watched": hop.is_watched,
        "there": _seen(passage.there, first),
        "back": _seen(passage.back, first),
        "unwatched": passage.unwatched or None,
        "lost": passage.lost,
    }


def _seen(sighting: Sighting | None, first: float) -> dict[str, Any] | None:
    if sighting is None:
        return None
    seen = sighting.seen
    return {
        "at": round(sighting.at - first, 6),
        "source": str(seen.addresses.source),
        "target": str(seen.addresses.target),
        "source_mac": seen.source_mac,
        "target_mac": seen.target_mac,
        "vni": seen.vni,
        "outer_source": str(seen.outer.source) if seen.outer else None,
        "outer_target": str(seen.outer.target) if seen.outer else None,
        "ttl": seen.ttl,
        "size": seen.size,
        "text": seen.text or None,
    }
