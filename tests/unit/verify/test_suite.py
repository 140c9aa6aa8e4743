"""The choice of tests."""

import pytest
from verify_examples import BOOT, LIST, SCENARIO, STOP, TESTS

from labctl.errors import BadInput
from labctl.verify.guideline import load_guideline
from labctl.verify.suite import TempestTest, check_suite, parse_test_list, select


@pytest.mark.parametrize(
    ("suite", "chosen"),
    [
        ("smoke", (BOOT, LIST)),
        ("scenario", (SCENARIO,)),
        ("full", (BOOT, STOP, LIST, SCENARIO)),
        (r"ServersTest\.test_s", (STOP,)),
    ],
)
def test_a_suite_is_a_choice_of_tests(suite: str, chosen: tuple[TempestTest, ...]) -> None:
    assert select(suite, TESTS).tests == chosen


def test_a_suite_without_a_test_is_refused() -> None:
    with pytest.raises(BadInput, match="No test of Tempest's 5"):
        select("test_that_is_not_there", TESTS)


def test_what_is_no_regular_expression_is_refused() -> None:
    check_suite("a|b")
    with pytest.raises(BadInput, match="no regular expression"):
        check_suite("(")


def test_the_parts_of_an_id() -> None:
    assert SCENARIO.name == "tempest.scenario.test_z.TestZ.test_all"
    assert SCENARIO.class_name == "tempest.scenario.test_z.TestZ"
    assert SCENARIO.idempotent_id == "dddd"


def test_the_list_of_tests_is_read_without_what_else_is_said() -> None:
    assert parse_test_list(f"Loading\n{BOOT.id}\n\n{LIST.id}\n") == (BOOT, LIST)


def test_the_guideline_requires_what_it_says() -> None:
    components = [one for test in load_guideline().required.values() for one in test.components]
    # Two of the sixty tests of storage share their id with another of it: inherited ones.
    assert (components.count("compute"), components.count("storage")) == (228, 58)


def test_the_guidelines_tests_are_found_by_id_and_what_is_gone_is_named() -> None:
    guideline = load_guideline()
    *there, gone = guideline.required
    # A class that inherits a test has it under the same id.
    tests = [TempestTest(f"tempest.api.{name}.T.test[id-{one},smoke]") for one in there for name in ("a", "b")]
    chosen = select("interop", [*TESTS, *tests])
    assert chosen.tests == tuple(tests)
    assert [test.id for test in chosen.gone] == [gone]
