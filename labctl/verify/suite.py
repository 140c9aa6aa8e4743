"""What is run: a choice among all tests that Tempest has."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from labctl.errors import BadInput
from labctl.verify.guideline import RequiredTest, load_guideline


class Suite(StrEnum):
    """The choices that have a name; anything else is a regular expression."""

    SMOKE = "smoke"
    INTEROP = "interop"
    SCENARIO = "scenario"
    FULL = "full"


@dataclass(frozen=True)
class TempestTest:
    """A test of Tempest.

    Attributes:
        id: As Tempest lists it: `tempest.api.x.Class.test_y[id-UUID,smoke]`.
    """

    id: str

    @property
    def name(self) -> str:
        """Without what is in brackets."""
        return self.id.partition("[")[0]

    @property
    def class_name(self) -> str:
        """The class that it is in."""
        return self.name.rpartition(".")[0]

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is in brackets: its idempotent id, and its tags."""
        return tuple(self.id.partition("[")[2].rstrip("]").split(","))

    @property
    def idempotent_id(self) -> str:
        """The id that stays when the test moves; empty without one."""
        return next((one.removeprefix("id-") for one in self.attributes if one.startswith("id-")), "")


@dataclass(frozen=True)
class Selection:
    """The tests of a suite.

    Attributes:
        tests: What is run.
        gone: What the guideline requires and this Tempest no longer has.
    """

    tests: tuple[TempestTest, ...]
    gone: tuple[RequiredTest, ...] = ()


def parse_test_list(text: str) -> tuple[TempestTest, ...]:
    """Reads what `tempest run --list-tests` prints; lines that name no test are left out."""
    return tuple(TempestTest(line) for line in text.splitlines() if line.startswith("tempest."))


def select(suite: str, tests: Iterable[TempestTest]) -> Selection:
    """Chooses the tests of a suite.

    Args:
        suite: One of `Suite`, or a regular expression that is looked for in the tests' ids.
        tests: All tests.

    Raises:
        BadInput: No test is chosen.
    """
    everything = tuple(tests)
    if suite == Suite.INTEROP:
        return _interop(everything)
    chosen = tuple(test for test in everything if _is_in(suite, test))
    if not chosen:
        raise BadInput(
            f"No test of Tempest's {len(everything)} is in {suite!r}.",
            evidence=[f"named suites: {', '.join(Suite)}; anything else is a regular expression of tests' ids"],
            remedy="For example `--suite tempest.api.identity`.",
        )
    return Selection(chosen)


def check_suite(suite: str) -> None:
    """Refuses what is neither the name of a suite nor a regular expression.

    Raises:
        BadInput: It is neither.
    """
    try:
        re.compile(suite)
    except re.error as error:
        raise BadInput(
            f"The suite {suite!r} is no regular expression: {error}.", remedy=f"Named suites: {', '.join(Suite)}."
        ) from None


def _is_in(suite: str, test: TempestTest) -> bool:
    match suite:
        case Suite.SMOKE:
            return "smoke" in test.attributes
        case Suite.SCENARIO:
            return test.id.startswith("tempest.scenario.")
        case Suite.FULL:
            return test.id.startswith(("tempest.api.", "tempest.scenario."))
        case _:
            return re.search(suite, test.id) is not None


def _interop(tests: tuple[TempestTest, ...]) -> Selection:
    required = load_guideline().required
    chosen = tuple(test for test in tests if test.idempotent_id in required)
    there = {test.idempotent_id for test in chosen}
    return Selection(chosen, tuple(test for identifier, test in required.items() if identifier not in there))
