"""The report for a terminal."""

from collections.abc import Iterator

from labctl.verify.evidence import Failure
from labctl.verify.results import Status
from labctl.verify.run import Verdict

SLOWEST = 5
REQUESTS = 5
LINES = 10
"""What is shown of each failed test; all of it is in the HTML page."""


def as_text(verdict: Verdict) -> str:
    """What became of the tests, in words."""
    return "\n".join(_lines(verdict))


def summary(verdict: Verdict) -> str:
    """The figures, in one line."""
    outcome = verdict.outcome
    figures = ", ".join(
        f"{len(outcome.of(status))} {status}" for status in (Status.PASSED, Status.FAILED, Status.SKIPPED)
    )
    return f"{verdict.suite}: {len(outcome.results)} tests in {outcome.seconds:.0f} s: {figures}"


def skip_text(reason: str, missing_service: str) -> str:
    """Why tests were skipped; a missing service is named as such."""
    return f"the lab has no {missing_service} ({reason})" if missing_service else reason


def _lines(verdict: Verdict) -> Iterator[str]:
    yield summary(verdict)
    for gone in verdict.selection.gone:
        yield f"not in this Tempest any more: {gone.id} ({gone.name})"
    if verdict.outcome.skips:
        yield "skipped:"
        for reason, service, count in verdict.outcome.skips:
            yield f"  {count:4}  {skip_text(reason, service)}"
    yield "slowest:"
    for result in verdict.outcome.slowest[:SLOWEST]:
        yield f"  {result.seconds:6.1f} s  {result.name}"
    for failure in verdict.failures:
        yield from _failure_lines(failure)
    for one in verdict.left:
        yield f"not removed: {one}"


def _failure_lines(failure: Failure) -> Iterator[str]:
    yield f"failed: {failure.result.name}"
    last = failure.result.traceback.strip().splitlines()[-3:]
    yield from (f"    {line}" for line in last)
    # The last ones are nearest to the failure.
    if failure.requests:
        yield "  requests:"
        yield from (f"    {request}" for request in failure.requests[-REQUESTS:])
    if failure.lines:
        yield "  what the services logged about them:"
        yield from (f"    {line.service}: {line.text}" for line in failure.lines[-LINES:])
