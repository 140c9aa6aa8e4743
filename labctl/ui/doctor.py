"""Shows what `labctl doctor` found: by check, with the reason and the remedy said once, or as JSON."""

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import asdict
from itertools import groupby

from rich.console import Console
from rich.text import Text

from labctl.findings import Finding, Report
from labctl.ui.printable import show

MOST_SHOWN = 20
"""Of one check; `--json` has all."""


def show_report(report: Report, console: Console) -> None:
    """Prints a report; its lines are never wrapped or cut."""
    show(console, as_text(report))


def as_text(report: Report) -> Text:
    """A report for people."""
    text = Text()
    by_check = groupby(sorted(report.findings, key=_order(report)), key=lambda finding: (finding.check, finding.remedy))
    for _, group in by_check:
        _add_check(text, tuple(group))
    for line in report.left_out:
        text.append(f"not looked at: {line}\n")
    text.append(_summary(report))
    return text


def _order(report: Report) -> Callable[[Finding], tuple[bool, int, str]]:
    """Errors first; what belongs to one check and has one remedy together, in the order in which it was found."""
    first: dict[str, int] = {}
    for index, finding in enumerate(report.findings):
        first.setdefault(finding.check, index)
    return lambda finding: (not finding.is_error, first[finding.check], finding.remedy)


def _add_check(text: Text, findings: Sequence[Finding]) -> None:
    one = findings[0]
    label, style = ("error", "bold red") if one.is_error else ("warning", "bold yellow")
    text.append(label, style)
    text.append(f"  {one.title}", "bold")
    text.append(f"  [{one.check}]\n")
    for finding in findings[:MOST_SHOWN]:
        first, *more = finding.evidence
        text.append(f"    {finding.place}: {first}\n" if finding.place else f"    {first}\n")
        for line in more:
            text.append(f"        {line}\n" if finding.place else f"    {line}\n")
    if len(findings) > MOST_SHOWN:
        text.append(f"    and {len(findings) - MOST_SHOWN} more; --json lists them all\n")
    text.append(f"  Why it matters: {one.why}\n")
    text.append(f"  What to do: {one.remedy}\n")
    for fix in dict.fromkeys(finding.fix for finding in findings if finding.fix):
        text.append(f"  --fix would {fix.what}: {shlex.join(fix.command)}\n")
    text.append("\n")


def _summary(report: Report) -> str:
    errors = len(report.errors)
    warnings = len(report.findings) - errors
    looked_at = f" of {', '.join(report.looked_at)}" if report.looked_at else ""
    what = f"{len(report.checks)} checks{looked_at}"
    if not report.findings:
        return f"{what}: nothing is wrong."
    return f"{what}: {_count(errors, 'error')}, {_count(warnings, 'warning')}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def as_json(report: Report) -> str:
    """A report for programs, as one object."""
    return json.dumps(
        {
            "healthy": not report.errors,
            "findings": [_as_object(finding) for finding in report.findings],
            "checks": report.checks,
            "looked_at": report.looked_at,
            "left_out": report.left_out,
        }
    )


def _as_object(finding: Finding) -> dict[str, object]:
    shown = asdict(finding)
    severity = "error" if shown.pop("is_error") else "warning"
    return {"severity": severity, **shown}
