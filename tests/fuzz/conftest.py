"""Fuzzing: whatever strangers give is taken or refused with a message, soon and in little memory.

`make test-fuzz` runs 100,000 cases of other numbers each time; `make test` some of the same ones.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.lab.figures import measured

IN_EACH_TEST_RUN = 2000
CASES = int(os.environ.get("LABCTL_FUZZ_CASES", IN_EACH_TEST_RUN))
MOST_MB = 500

# How long a case takes is measured by the processor's time (`tests/fuzz/making.py`): the machine may have other work.
settings.register_profile(
    "labctl",
    deadline=None,
    database=None,
    derandomize=CASES == IN_EACH_TEST_RUN,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(autouse=True)
def memory(request: pytest.FixtureRequest) -> Iterator[None]:
    """Measures the most that this process holds while the cases run (proc(5): clear_refs, VmHWM)."""
    Path("/proc/self/clear_refs").write_text("5")
    yield
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    most = int(line.split()[1]) / 1024
    measured(f"memory of {request.node.name}", most, "MB", MOST_MB)
    assert most < MOST_MB
