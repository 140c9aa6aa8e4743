"""What ruff has no rule for."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "labctl"
LONGEST = 400

MODULES = sorted(PACKAGE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
WAYS = ("echo", "secho", "print", "print_json")
SPEAKING = (PACKAGE / "ui", PACKAGE / "cli")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", [*MODULES, *TESTS], ids=name)
def test_a_module_has_one_job_and_is_short(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_there_is_one_way_to_the_terminal(path: Path) -> None:
    if path in (PACKAGE / "ui/printable.py", PACKAGE / "ui/tty.py"):  # this one shows events, which are clean
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    lines = [call.lineno for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr in WAYS]
    assert lines == [], f"lines {lines}: labctl.ui.printable keeps escape sequences from the terminal"


@pytest.mark.parametrize("path", [each for each in MODULES if not each.is_relative_to(SPEAKING[0])], ids=name)
def test_only_the_user_interface_prints(path: Path) -> None:
    if path.is_relative_to(SPEAKING[1]):
        return
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    lines = [call.lineno for call in calls if isinstance(call.func, ast.Name) and call.func.id == "print"]
    assert lines == [], f"print() in lines {lines}: emit an event, or return the text"
