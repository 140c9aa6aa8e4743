"""Which worker runs which tests, so that all of them have done at about the same time.

stestr, which runs Tempest, shares classes out in turn where it does not know how long they take; then one worker is
often done minutes before the other. labctl comes with what they took on a machine with 2 cores, and learns from each
run.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import yaml

from labctl.files import write_file
from labctl.verify.results import Result
from labctl.verify.suite import TempestTest

DATA = "durations.json"
AROUND_SECONDS = 3.0
"""What a class takes before and after its tests where nothing is known: accounts are made and removed."""
TEST_SECONDS = 0.5
"""What a test takes, likewise."""
SLOW_SECONDS = 1.0
"""What takes less need not be remembered."""


def load_durations(learned: Path) -> Mapping[str, float]:
    """Reads how long tests and classes take.

    Args:
        learned: What earlier runs on this machine took; a cache, which may be missing or broken.

    Returns:
        Seconds by the name of a test, and by the name of a class what it takes besides its tests.
    """
    durations: dict[str, float] = json.loads((files(__package__) / DATA).read_text())
    with suppress(FileNotFoundError, json.JSONDecodeError):
        durations |= json.loads(learned.read_text())
    return durations


def learn(learned: Path, results: Iterable[Result]) -> None:
    """Remembers how long the tests of a run took: what is slow, and what was thought to be."""
    known = load_durations(learned)
    news = {name: seconds for name, seconds in measure(results).items() if name in known or seconds > SLOW_SECONDS}
    durations = {**known, **news}
    write_file(learned, (json.dumps(durations, indent=0, sort_keys=True) + "\n").encode())


def share(tests: Iterable[TempestTest], workers: int, durations: Mapping[str, float]) -> tuple[tuple[str, ...], ...]:
    """Shares classes among workers: the longest that is left goes to the worker that has least to do.

    A class stays whole: what it sets up is there for all its tests.

    Returns:
        The classes of each worker that has any.
    """
    seconds: dict[str, float] = {}
    for test in tests:
        begin = seconds.get(test.class_name, durations.get(test.class_name, AROUND_SECONDS))
        seconds[test.class_name] = begin + durations.get(test.name, TEST_SECONDS)
    shares: list[list[str]] = [[] for _ in range(workers)]
    total = [0.0] * workers
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        least = total.index(min(total))
        total[least] += seconds[name]
        shares[least].append(name)
    return tuple(tuple(sorted(names)) for names in shares if names)


def worker_file(shares: Iterable[Iterable[str]]) -> str:
    """The shares as stestr reads them: regular expressions for each worker (stestr/scheduler.py)."""
    workers = [{"worker": [f"^{re.escape(name)}\\." for name in names]} for names in shares]
    return yaml.safe_dump(workers)


def measure(results: Iterable[Result]) -> dict[str, float]:
    """How long tests took, and classes besides their tests.

    What passes between two tests of a worker that are of different classes is counted for the second.

    Returns:
        As `load_durations`.
    """
    ran: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        if result.began and result.worker:
            ran[result.worker].append(result)
    durations: dict[str, float] = {}
    for own in ran.values():
        own.sort(key=lambda result: result.began)
        durations |= {result.name: result.seconds for result in own}
        for before, result in pairwise(own):
            name, pause = class_of(result), result.began - before.began - before.seconds
            if class_of(before) != name:
                durations[name] = pause
    return {name: round(seconds, 1) for name, seconds in durations.items()}


def class_of(result: Result) -> str:
    """The class that a result's test is in."""
    return TempestTest(result.id).class_name
