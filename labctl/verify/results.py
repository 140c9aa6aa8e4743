"""What became of each test."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from labctl.verify.suite import TempestTest

CLASS_LEVEL = re.compile(r"(?P<stage>setUpClass|tearDownClass) \((?P<class>[\w.]+)\)")
"""The id of what a class of tests does before the first and after the last of them (unittest.suite)."""

MISSING_SERVICE = re.compile(
    r"(?i)(?<!-)\b(?P<service>cinder|swift|horizon|nova|neutron|glance|volume|object_storage|dashboard|compute|network|image)"
    r"\b(?: service)? (?:is not available|is required|support is required)"
)
"""How Tempest says that a service is missing (skip_checks of its classes, tempest.common.utils.services)."""

SERVICE_NAMES = {
    "volume": "cinder",
    "object_storage": "swift",
    "dashboard": "horizon",
    "compute": "nova",
    "network": "neutron",
    "image": "glance",
}


class Status(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


STATUS_OF_STREAM = {"success": Status.PASSED, "xfail": Status.PASSED, "skip": Status.SKIPPED}
"""How testtools.StreamToDict calls it; anything else is a failure, also a test that began and did not end."""


@dataclass(frozen=True)
class Result:
    """What became of a test.

    Attributes:
        id: The test's.
        status: How it ended.
        began: Seconds since the epoch; 0 where it did not begin.
        seconds: How long it ran.
        worker: What ran it: one worker runs one test after the other.
        reason: Why it was skipped.
        traceback: Why it failed.
        log: What Tempest logged while it failed: every request with its answer.
    """

    id: str
    status: Status
    began: float = 0.0
    seconds: float = 0.0
    worker: str = ""
    reason: str = ""
    traceback: str = field(default="", repr=False)
    log: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """The test's name without its idempotent id and tags."""
        return self.id.partition("[")[0]

    @property
    def missing_service(self) -> str:
        """The service for want of which it was skipped, such as cinder; else empty."""
        found = MISSING_SERVICE.search(self.reason) if self.status is Status.SKIPPED else None
        name = found.group("service").lower() if found else ""
        return SERVICE_NAMES.get(name, name)


def parse_result(line: str) -> Result | None:
    """Reads one line of images/tempest/files/results-as-json; None where it is not about a test."""
    data: Mapping[str, Any] = json.loads(line)
    if not data["id"].startswith("tempest.") and not CLASS_LEVEL.fullmatch(data["id"]):
        return None
    began, ended = data["began"] or 0.0, data["ended"] or 0.0
    return Result(
        id=data["id"],
        status=STATUS_OF_STREAM.get(data["status"], Status.FAILED),
        began=began,
        seconds=max(0.0, ended - began) if began and ended else 0.0,
        worker=data["worker"],
        reason=data["reason"].strip(),
        traceback="\n".join(text.strip() for text in data["details"].values()),
        log=data["log"],
    )


def settle(tests: Iterable[TempestTest], reported: Iterable[Result]) -> tuple[Result, ...]:
    """Says of each test that was to be run what became of it.

    Where a class of tests was skipped, or could not be set up, the runner reports the class alone: that is then the
    result of each test in it that was not reported. What a class could not tear down is a failure of its own. A test
    of which nothing is known has failed: the runner ended before it.

    Args:
        tests: What was to be run.
        reported: What the runner reported, in its order.

    Returns:
        One result for each test, and those of classes that could not be torn down.
    """
    own: dict[str, Result] = {}
    classes: dict[str, Result] = {}
    extra: list[Result] = []
    for result in reported:
        found = CLASS_LEVEL.fullmatch(result.id)
        if found is None:
            own[result.id] = result
        elif found["stage"] == "setUpClass":
            classes[found["class"]] = result
        elif result.status is Status.FAILED:
            extra.append(result)
    settled = []
    for test in tests:
        if test.id in own:
            settled.append(own[test.id])
        elif test.class_name in classes:
            settled.append(replace(classes[test.class_name], id=test.id, seconds=0.0))
        else:
            settled.append(Result(test.id, Status.FAILED, traceback="The test runner ended before this test did."))
    return (*settled, *extra)


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        results: One for each test.
        seconds: How long the tests took, all in all.
    """

    results: tuple[Result, ...]
    seconds: float

    def of(self, status: Status) -> tuple[Result, ...]:
        """The results with a status."""
        return tuple(result for result in self.results if result.status is status)

    @property
    def skips(self) -> tuple[tuple[str, str, int], ...]:
        """Why tests were skipped: reason, missing service or nothing, number of tests; the most frequent first."""
        counted: dict[tuple[str, str], int] = defaultdict(int)
        for result in self.of(Status.SKIPPED):
            # Many reasons begin with the name of the class.
            reason = result.reason.replace(result.name.split(".")[-2], "Class").strip()
            counted[reason, result.missing_service] += 1
        rows = ((reason, service, count) for (reason, service), count in counted.items())
        return tuple(sorted(rows, key=lambda row: (-row[2], row[0])))

    @property
    def slowest(self) -> tuple[Result, ...]:
        """The tests, slowest first."""
        return tuple(sorted(self.results, key=lambda result: -result.seconds))
