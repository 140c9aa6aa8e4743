"""Mending what is safe to mend: the commands that findings carry, each run once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from labctl.engine.process import CommandFailed, run
from labctl.findings import Fix

FIX_SECONDS = 120.0


@dataclass(frozen=True)
class Applied:
    """A fix that was tried.

    Attributes:
        fix: The fix.
        refusal: Why it did not work; empty where it did.
    """

    fix: Fix
    refusal: str = ""


def apply(fixes: Iterable[Fix]) -> Iterator[Applied]:
    """Runs the commands, one after the other; one that fails does not keep the others."""
    for fix in fixes:
        try:
            run(list(fix.command), timeout=FIX_SECONDS)
        except CommandFailed as error:
            yield Applied(fix, " ".join((error.what, *error.evidence[-1:])))
        else:
            yield Applied(fix)
