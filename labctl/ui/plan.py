"""A plan as text: how files change, then the steps with their reasons."""

from collections import Counter

from labctl.events import PlanMade

NOTHING = "Nothing to do: everything is there, as wanted and ready."


def plan_text(plan: PlanMade, *, every_step: bool = False) -> str:
    """Writes a plan for people.

    Args:
        plan: The plan.
        every_step: Name every step of a plan that makes all of a lab too; else those are counted.
    """
    if not plan.steps:
        return NOTHING
    alike: dict[tuple[str, ...], list[str]] = {}
    for difference in plan.differences:
        alike.setdefault(difference.lines, []).append(difference.path)
    lines = []
    for shown, paths in alike.items():
        lines += [*(f"{path}:" for path in paths), *(f"    {line}" for line in shown)]
    if plan.is_first and not every_step:
        return f"Plan: {_counted(plan)}."
    lines.append(f"Plan, {len(plan.steps)} steps:" if len(plan.steps) > 1 else "Plan, 1 step:")
    return "\n".join([*lines, *(f"    {step.what} — {step.why}" for step in plan.steps)])


def _counted(plan: PlanMade) -> str:
    """Says how many steps there are of each kind."""
    counts = Counter(step.id.partition(":")[0] for step in plan.steps)
    return ", ".join(f"{count} x {kind}" if count > 1 else kind for kind, count in counts.items())
