"""What `labctl doctor` says, for tests that break things."""

import json
from typing import Any

from labctl.cloud.waiting import Pending, wait_until
from labctl.errors import FINDINGS
from tests.lab.commands import labctl

OF_THE_MACHINE = {"kvm", "nested-virtualisation", "inotify", "address-range"}
"""Warnings that a machine may deserve, whatever its lab is like."""
SECONDS = 240.0
LOOK_EVERY = 1.0

Known = frozenset[tuple[str, str]]
"""Findings that were there before: check, and first line of its evidence."""


def examined(lab: str, *options: str) -> dict[str, Any]:
    """The report."""
    ran = labctl("doctor", "--name", lab, "--json", *options)
    assert ran.code in (0, FINDINGS), str(ran)
    report: dict[str, Any] = json.loads(ran.out)
    assert report["healthy"] == (ran.code == 0), str(ran)
    return report


def look_at(lab: str) -> Known:
    """What is wrong with a lab that somebody else works with."""
    return frozenset((one["check"], one["evidence"][0]) for one in examined(lab)["findings"])


def found(report: dict[str, Any], known: Known = frozenset()) -> dict[str, str]:
    """Check to all that it says, without those of the machine, and what was known."""
    said: dict[str, str] = {}
    for finding in report["findings"]:
        if finding["check"] not in OF_THE_MACHINE and (finding["check"], finding["evidence"][0]) not in known:
            said[finding["check"]] = said.get(finding["check"], "") + "\n".join(finding["evidence"]) + "\n"
    return said


def wait_until_well(lab: str, known: Known = frozenset()) -> None:
    """Waits until nothing is wrong, nor left out for being out of reach."""

    def look() -> bool | Pending:
        report = examined(lab)
        wrong = found(report, known)
        return True if not wrong and not report["left_out"] else Pending(f"{wrong} {report['left_out']}")

    wait_until(look, "the doctor to find nothing", SECONDS, LOOK_EVERY)
