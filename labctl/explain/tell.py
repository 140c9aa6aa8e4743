"""From entries of logs to a story: in order of time, what is the same once, the first cause."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from urllib.parse import parse_qs

from labctl.cloud.nodes.view import RESOURCES
from labctl.explain.signs import REFUSED, is_quiet, is_telling, sign_of
from labctl.service_logs import Entry
from labctl.story import Cause, Event

UNKNOWN = "labctl does not know this message."
LOOK = "`labctl logs {service}` shows what came before; `labctl doctor` says what is wrong with the lab."


def events(entries: Iterable[Entry], nodes: Mapping[str, str]) -> tuple[Event, ...]:
    """What happened, in order of time.

    Args:
        entries: What was logged.
        nodes: Service to its node; empty for the control plane's.
    """
    told: list[Event] = []
    last: int | None = None
    for entry in sorted(entries, key=lambda one: one.at):
        # A service that tries again says the same again, with what it did in between.
        if last is not None and _is_same(told[last].entry, entry):
            told[last] = replace(told[last], times=told[last].times + 1, until=entry.at)
            continue
        told.append(Event(entry, nodes.get(entry.service, ""), 1, entry.at, is_quiet(entry)))
        if not told[-1].is_noise:
            last = len(told) - 1
    return tuple(told)


def _is_same(one: Entry, other: Entry) -> bool:
    return (one.service, one.level, one.text) == (other.service, other.level, other.text)


def first_cause(told: Sequence[Event]) -> Cause | None:
    """What went wrong first; where nothing did, the first request that an API refused."""
    telling = [event for event in told if is_telling(event.entry)]
    refused = [event for event in told if REFUSED.search(event.entry.text)]
    first = next(iter(telling or refused), None)
    if first is None:
        return None
    sign = sign_of(first.entry)
    if sign is None:
        return Cause(first, "", LOOK.format(service=first.entry.service))
    return Cause(first, sign.why, sign.remedy)


def is_about_room(cause: Cause | None) -> bool:
    """Whether it is that no node took the server."""
    sign = sign_of(cause.event.entry) if cause else None
    return sign is not None and sign.is_about_room


def asked_of_placement(told: Iterable[Event]) -> str:
    """What the scheduler asked for, in words; nothing where it asked for nothing.

    It is in placement's log, as the query of a request (GET /allocation_candidates of its API).
    """
    for event in told:
        _, found, rest = event.entry.text.partition('"GET /allocation_candidates')
        if found:
            # Not by urlsplit, which takes a log of something else for an address with a wrong host.
            query = parse_qs(rest.partition('"')[0].partition("?")[2].partition(" ")[0])
            pairs = (one.partition(":") for one in query.get("resources", [""])[0].split(",") if ":" in one)
            asked = (f"{amount} {RESOURCES.get(name, name)}" for name, _, amount in pairs)
            return f"asked for {', '.join(asked)}"
    return ""
