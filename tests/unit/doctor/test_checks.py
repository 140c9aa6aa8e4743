"""All checks: named once, described in the manual, run all at once."""

from collections.abc import Iterator
from pathlib import Path

from labctl.doctor.check import Evidence, check, examine, refusal
from labctl.doctor.checks import CONFIGURATION, LAB, MACHINE
from labctl.errors import MachineConflict
from labctl.findings import Fix, Report, together

ALL = (*CONFIGURATION, *MACHINE, *LAB)
MANUAL = Path(__file__).parents[3] / "docs/doctor.md"


def test_ids_are_there_once_and_in_the_manual() -> None:
    ids = [one.id for one in ALL]
    assert len(set(ids)) == len(ids)
    manual = MANUAL.read_text()
    assert [id for id in ids if f"`{id}`" not in manual] == []


def test_each_says_what_why_and_what_to_do() -> None:
    for one in ALL:
        assert one.title
        assert one.why.endswith(".")
        assert one.remedy


@check("few", title="Few", why="It matters.", remedy="Add some.")
def few(facts: int) -> Iterator[Evidence]:
    if facts < 3:
        yield Evidence((f"{facts} are few",), is_error=False)


@check("odd", title="Odd", why="It matters.", remedy="Add one.")
def odd(facts: int) -> Iterator[Evidence]:
    if facts % 2:
        yield Evidence((f"{facts} is odd",), fix=Fix("add one", ("add", "1")))


def test_all_run_and_errors_come_first() -> None:
    findings = examine((few, odd), 1)
    assert [(one.check, one.is_error) for one in findings] == [("odd", True), ("few", False)]
    assert findings[0].remedy == "Add one."
    assert examine((few, odd), 4) == ()


def test_what_labctl_refuses_is_evidence_in_its_own_words() -> None:
    seen = refusal(MachineConflict("Too small.", evidence=["1 MB"], remedy="Take a larger one."))
    assert (seen.lines, seen.remedy) == (("Too small.", "1 MB"), "Take a larger one.")


def test_reports_together() -> None:
    first = Report(examine((few,), 2), ("few",), ("two",))
    second = Report(examine((odd,), 1), ("odd",), ("one",), ("nothing else",))
    both = together([first, second])
    assert [one.check for one in both.findings] == ["odd", "few"]
    assert [one.check for one in both.errors] == ["odd"]
    assert (both.checks, both.looked_at, both.left_out) == (("few", "odd"), ("two", "one"), ("nothing else",))
    assert both.fixes == (Fix("add one", ("add", "1")),)
