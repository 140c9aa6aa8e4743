"""docs/walkthroughs.md: what it names is there, every row has a proof or a reason, and its figures are right."""

import ast
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from labctl.cli.main import app
from labctl.doctor.checks import CONFIGURATION, LAB, MACHINE

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "walkthroughs.md").read_text()
PARTS = ("The nova-network walkthrough", "The VXLAN walkthrough", "What is gone")
REASONS = ("by design", "not yet")
CHECKS = {one.id for one in (*CONFIGURATION, *LAB, *MACHINE)}
FOLDERS = ("compose/", "config-templates/", "docs/", "images/", "tests/")


@dataclass(frozen=True)
class Row:
    """A row of the tables.

    Attributes:
        part: The heading that it stands below.
        there: What the walkthrough does.
        here: What labctl does for it.
        proof: Tests, or why there is none.
    """

    part: str
    there: str
    here: str
    proof: str

    @property
    def kind(self) -> str:
        """ "tests", "by design" or "not yet"."""
        return next((reason for reason in REASONS if self.proof.startswith(f"{reason}: ")), "tests")

    @property
    def tests(self) -> tuple[str, ...]:
        return spans(self.proof) if self.kind == "tests" else ()


def spans(text: str) -> tuple[str, ...]:
    """What stands between backticks."""
    return tuple(re.findall("`([^`]+)`", text))


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def read_rows() -> tuple[Row, ...]:
    found, part, columns = [], "", 0
    for line in DOCUMENT.splitlines():
        if line.startswith("## "):
            part = line.removeprefix("## ")
        if not line.startswith("|"):
            columns = 0
        elif not columns:
            columns = len(cells(line))
            heading = cells(line) == ["there", "here", "proof"]
        elif heading and not line.startswith("|---"):
            assert len(cells(line)) == columns, line
            found.append(Row(part, *cells(line)))
    return tuple(found)


ROWS = read_rows()
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.there[:60])


@cache
def functions(path: str) -> frozenset[str]:
    """The tests of a file."""
    body = ast.parse((ROOT / path).read_text()).body
    return frozenset(one.name for one in body if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"))


@each_row
def test_a_row_has_a_proof_or_a_reason(row: Row) -> None:
    assert row.there
    assert row.here
    if row.kind == "tests":
        assert row.tests
        assert re.fullmatch(r"`tests/\S+\.py::test_\w+`(, `tests/\S+\.py::test_\w+`)*", row.proof)
    else:
        assert len(row.proof.partition(": ")[2].split()) > 1


@each_row
def test_its_tests_are_there(row: Row) -> None:
    assert len(set(row.tests)) == len(row.tests)
    for test in row.tests:
        path, _, function = test.partition("::")
        assert (ROOT / path).is_file(), test
        assert function in functions(path), test


COMMANDS = sorted({text for text in spans(DOCUMENT) if text.startswith("labctl ")})


@pytest.mark.parametrize("text", COMMANDS)
def test_a_command_is_there_with_its_options(text: str) -> None:
    words, command = text.split()[1:], get_command(app)
    while isinstance(command, TyperGroup):
        word = words.pop(0)
        assert word in command.commands
        command = command.commands[word]
    assert isinstance(command, TyperCommand)
    if command.context_settings.get(
        "allow_interspersed_args", True
    ):  # else what follows belongs to the program that is run
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= known


def test_checks_of_doctor_are_there() -> None:
    said = [row.here for row in ROWS if "`labctl doctor" in row.here or "check `" in row.here]
    listed = "`[a-z0-9-]+`(?:(?:, | and )`[a-z0-9-]+`)*"
    named = {
        id
        for here in said
        for text in re.findall(rf"checks? ({listed})|\(({listed})\)", here)
        for id in spans("".join(text))
    }
    assert len(named) > 10
    assert named <= CHECKS


def test_files_are_there() -> None:
    paths = {text for text in spans(DOCUMENT) if text.startswith(FOLDERS) and "::" not in text}
    paths |= set(re.findall(r"\((docs/\S+\.md)[ )]", DOCUMENT))
    assert paths
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_figures_are_right() -> None:
    def figures(rows: list[Row]) -> list[int]:
        kinds = Counter(row.kind for row in rows)
        return [len(rows), *(kinds[kind] for kind in ("tests", *REASONS))]

    said = {
        re.sub(r"\[(.+)\]\(.+\)", r"\1", name): [int(figure) for figure in rest]
        for name, *rest in (cells(line) for line in DOCUMENT.splitlines() if re.search(r"\| \d+ \|$", line))
    }
    assert said == {
        **{part: figures([row for row in ROWS if row.part == part]) for part in PARTS},
        "together": figures(list(ROWS)),
    }


def test_links_lead_to_headings() -> None:
    headings = re.findall(r"^#+ (.+)$", DOCUMENT, re.MULTILINE)
    assert set(PARTS) <= set(headings)
    anchors = {heading.lower().replace(" ", "-") for heading in headings}
    assert set(re.findall(r"\]\(#([^)]+)\)", DOCUMENT)) <= anchors
