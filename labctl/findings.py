"""What a check of `labctl doctor` found, as values. `labctl.doctor` finds; `labctl.ui` shows."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Place:
    """A place in a file, line and column counted from 1."""

    path: str
    line: int
    column: int = 1

    def __str__(self) -> str:
        """As compilers write it, so that editors can jump to it."""
        return f"{self.path}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Fix:
    """A command that mends what was found, and is safe to run.

    Attributes:
        what: What it does, for people.
        command: The command, as a person could type it.
    """

    what: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        check: The id of the check that found it, such as `auth-type`.
        title: What is wrong, in a few words; the same for all findings of a check.
        why: Why it matters.
        evidence: What was seen, the most telling line first. Never holds a secret.
        remedy: What to do.
        place: Where in a file.
        is_error: Whether something does not work because of it; else it is worth a look.
        fix: What `--fix` would run.
    """

    check: str
    title: str
    why: str
    evidence: tuple[str, ...]
    remedy: str
    place: Place | None = None
    is_error: bool = True
    fix: Fix | None = None


@dataclass(frozen=True)
class Report:
    """What an examination came to.

    Attributes:
        findings: What is wrong; errors first.
        checks: The ids of the checks that ran.
        looked_at: What was examined, for people.
        left_out: What could not be looked at, and why.
    """

    findings: tuple[Finding, ...]
    checks: tuple[str, ...]
    looked_at: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that are more than worth a look."""
        return tuple(finding for finding in self.findings if finding.is_error)

    @property
    def fixes(self) -> tuple[Fix, ...]:
        """What `--fix` would run, each command once."""
        return tuple(dict.fromkeys(finding.fix for finding in self.findings if finding.fix))


def together(reports: Sequence[Report]) -> Report:
    """Several examinations as one."""
    findings = sorted((one for report in reports for one in report.findings), key=lambda one: not one.is_error)
    return Report(
        tuple(findings),
        tuple(check for report in reports for check in report.checks),
        tuple(line for report in reports for line in report.looked_at),
        tuple(line for report in reports for line in report.left_out),
    )
