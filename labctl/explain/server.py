"""Which of a server's actions its story is about, and what nova says of it."""

from datetime import datetime, timedelta

from labctl.cloud.server_record import Action, ServerRecord
from labctl.explain.follow import Subject

BEFORE = timedelta(seconds=5)
"""Nova writes an action down when it has already asked Glance and Neutron."""


def chosen_action(record: ServerRecord) -> Action | None:
    """The action that failed last: the one before the fault, or one that nova calls failed; else the last one.

    Nova does not call each action failed that ended in a fault: a build that was given up has only successes.
    """
    if record.fault_at:
        before = [action for action in record.actions if action.begin <= record.fault_at]
        return next(reversed(before), None)
    failed = [action for action in record.actions if action.is_failed]
    return next(reversed(failed or record.actions), None)


def subject_of(record: ServerRecord, action: Action | None) -> Subject:
    """What the logs are searched for."""
    names = frozenset(filter(None, (record.id, record.domain, *record.ports)))
    if action is None:
        return Subject(frozenset(), record.id, names)
    later = [one.begin for one in record.actions if one.begin > action.begin]
    return Subject(frozenset({action.request}), record.id, names, action.begin - BEFORE, _next(later))


def _next(times: list[datetime]) -> datetime | None:
    return min(times, default=None)


def what_nova_says(record: ServerRecord, action: Action | None) -> tuple[str, ...]:
    """Status, fault and action, in words."""
    lines = [f"{record.status}: {record.fault}" if record.fault else record.status]
    if action:
        where = f", on {', '.join(action.hosts)}" if action.hosts else ""
        lines.append(f"{action.name}, asked for at {action.begin:%Y-%m-%d %H:%M:%S} UTC{where}: {action.request}")
        lines += [f"it failed: {detail}" for detail in action.details if detail != record.fault.strip()]
    return tuple(lines)
