"""Why a probe died where it did: each cause is a function of what is known, the most telling one first. Pure."""

from collections.abc import Callable, Iterator

from labctl.trace.causes.bridges import (
    no_tunnel,
    no_tunnel_address,
    too_large,
    tunnel_drops,
    wrong_neighbour,
    wrong_port,
)
from labctl.trace.causes.case import Case
from labctl.trace.causes.devices import no_device, no_namespace
from labctl.trace.causes.filters import filter_drops, frame_filter_drops, group_drops, spoofed
from labctl.trace.causes.routing import no_forwarding, no_neighbour, no_translation, silent, unanswered
from labctl.trace.verdict import Cause

CAUSES: tuple[Callable[[Case], Iterator[Cause]], ...] = (
    no_namespace,
    no_device,
    silent,
    group_drops,
    spoofed,
    filter_drops,
    frame_filter_drops,
    no_tunnel_address,
    wrong_neighbour,
    too_large,
    no_translation,
    no_forwarding,
    no_neighbour,
    unanswered,
    wrong_port,
    tunnel_drops,
    no_tunnel,
)


def cause_of(case: Case) -> Cause:
    """The cause of a probe's death."""
    found = (cause for explain in CAUSES for cause in explain(case))
    return next(found, None) or unknown(case)


def unknown(case: Case) -> Cause:
    """Nothing that is known explains it."""
    last = case.gap.last
    where = f"between {last.hop.device} on {last.hop.place} and" if last else "before"
    hop = case.gap.next.hop
    return Cause(
        "unknown",
        f"It died {where} {hop.device} on {hop.place}, and nothing that was looked at says why.",
        tuple(
            f"{place}: {len(case.after.at(place).rules)} rules of iptables, none of them dropped it"
            for place in case.places
        ),
        "`--pcap DIR` keeps what was seen; `labctl doctor` looks at everything else.",
    )
