"""What each fault does: golden, so that a change of it is seen; and what is true of all."""

import re
from collections import Counter
from pathlib import Path

import pytest

from labctl.doctor.checks import LAB
from labctl.fault.change import Change, Command, Request
from labctl.fault.fault import TRACE, Fault, Where
from labctl.fault.faults import ALL
from tests.unit.fault.made_up_scene import scene
from tests.unit.render.golden_files import assert_golden

ROOT = Path(__file__).parents[3]


def change_of(fault: Fault) -> Change:
    return fault.change(scene("net" if fault.where is Where.NETWORK else "node1"))


def test_what_all_of_them_do() -> None:
    text = ""
    for fault in ALL:
        change = change_of(fault)
        text += f"{fault.id} ({fault.where}), named by {fault.verdict}: {fault.title}\n  {fault.does}\n"
        text += "".join(f"  inject: {step}\n" for step in change.inject)
        text += "".join(f"  clear:  {step}\n" for step in change.clear)
        text += "\n"
    assert_golden("faults", {"faults.txt": text.encode()})


def test_names_are_unique() -> None:
    assert [id for id, count in Counter(fault.id for fault in ALL).items() if count > 1] == []


def test_there_are_thirty_and_more() -> None:
    assert len(ALL) >= 30


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.id)
def test_a_check_that_there_is_must_name_it(fault: Fault) -> None:
    causes = (ROOT / "docs/trace.md").read_text()
    cause = fault.verdict.removeprefix(TRACE)
    assert f"`{cause}`" in causes if cause != fault.verdict else fault.verdict in {check.id for check in LAB}


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.id)
def test_only_the_lab_is_touched(fault: Fault) -> None:
    change = change_of(fault)
    for step in (*change.inject, *change.clear):
        if isinstance(step, Command):
            assert step.argv[0] == "docker"
            assert any(word.startswith("lab-") for word in step.argv), "no container of the lab"
            assert "run" not in step.argv, "a container of its own could be in the machine's network"


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.id)
def test_what_is_mended_was_made(fault: Fault) -> None:
    """Names in braces that nothing makes would go to the cloud as they are."""
    change = change_of(fault)
    made = {step.makes for step in change.inject if isinstance(step, Request)}
    paths = [step.path for step in change.clear if isinstance(step, Request)]
    assert {name for path in paths for name in re.findall(r"\{(\w+)\}", path)} <= made


@pytest.mark.parametrize("fault", ALL, ids=lambda fault: fault.id)
def test_no_step_holds_a_secret(fault: Fault) -> None:
    change = change_of(fault)
    for step in (*change.inject, *change.clear):
        assert not re.search(r"password\W+[A-Za-z0-9_-]{20,}", str(step))
