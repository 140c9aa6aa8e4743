"""Escape sequences of others do not reach the terminal, whatever shows them."""

import io
import json
import re
from datetime import UTC, datetime

import pytest
from rich.console import Console
from rich.text import Text

from labctl.cli import services
from labctl.errors import LabctlError
from labctl.events import Note, PlanMade, PlannedStep, ServiceChanged, StepFailed, StepFinished, StepStarted
from labctl.findings import Finding, Report
from labctl.service_logs import Entry
from labctl.story import Cause, Event, Story
from labctl.ui import Progress, listener
from labctl.ui.doctor import show_report
from labctl.ui.errors import show_error
from labctl.ui.explain import show_story
from labctl.ui.printable import printable, say, show

EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\r\x7f\u202etxt\u2066\ud800"
"""A title, a cleared screen, colours (C1), the start of the line, text that reads backwards, half a character."""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def test_nothing_that_moves_the_cursor_is_left_and_the_length_stays() -> None:
    assert CONTROL.search(EVIL)
    shown = printable(EVIL)
    assert not CONTROL.search(shown)
    assert len(shown) == len(EVIL)
    assert "owned" in shown
    assert shown[0] == "␛"


@pytest.mark.parametrize("text", ["", "plain", "two\nlines\tand a tab", "äöü ✓ 漢字 😀", "a\u0301"])
def test_what_people_write_stays(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize("err", [False, True])
def test_say(capsys: pytest.CaptureFixture[str], err: bool) -> None:
    say(f"log: {EVIL}", err=err)
    said = capsys.readouterr()
    assert not CONTROL.search(said.err if err else said.out)
    assert "owned" in (said.err if err else said.out)


def test_colours_of_our_own_stay_where_they_were() -> None:
    stream = io.StringIO()
    text = Text.assemble(("Error: ", "bold"), EVIL, (" end", "bold"))
    show(Console(file=stream, force_terminal=True, color_system="standard"), text)
    assert stream.getvalue().startswith("\x1b[1mError: \x1b[0m")
    assert "\x1b[1m end\x1b[0m" in stream.getvalue()
    assert not CONTROL.search(re.sub("\x1b\\[[01]m", "", stream.getvalue()))


def entry() -> Entry:
    return Entry("nova" + EVIL, datetime.now(UTC), "ERROR", EVIL, (), "", EVIL, (EVIL, f"  {EVIL}"))


def test_errors_stories_and_reports() -> None:
    stream = io.StringIO()
    console = Console(file=stream, no_color=True)
    show_error(LabctlError(EVIL, evidence=[EVIL], remedy=EVIL), console)
    happened = Event(entry(), EVIL, 2, datetime.now(UTC), False)
    show_story(Story(EVIL, (EVIL,), (), Cause(happened, EVIL, EVIL, (EVIL,)), (happened,), (EVIL,)), console, True)
    show_report(Report((Finding("x", EVIL, (EVIL,), EVIL, EVIL, None, True),), ("x",), (EVIL,), (EVIL,)), console)
    assert stream.getvalue().count("owned") > 10
    assert not CONTROL.search(stream.getvalue())


STORY = (
    StepStarted(EVIL),
    StepFinished(EVIL, 1.0, EVIL),
    StepStarted("x"),
    StepFailed("x", 1.0, EVIL),
    ServiceChanged(f"glance{EVIL}", "healthy", EVIL),
    Note(EVIL, level="warning"),
    PlanMade((PlannedStep("id", EVIL, EVIL),), (), False),
)


@pytest.mark.parametrize("progress", [Progress.PLAIN, Progress.TTY])
def test_events(progress: Progress) -> None:
    stream = io.StringIO()
    with listener(progress, stream) as emit:
        for event in STORY:
            emit(event)
    # What rich itself writes: colours, moves of the cursor, lines that it clears.
    own = re.sub("\x1b\\[[0-9;?]*[mAKhl]|\r", "", stream.getvalue())
    assert "owned" in own
    assert "\x1b[2J" not in stream.getvalue()
    assert not CONTROL.search(own)


def test_json_has_them_as_they_are_and_escaped() -> None:
    stream = io.StringIO()
    with listener(Progress.JSON, stream) as emit:
        emit(Note(EVIL))
    assert not CONTROL.search(stream.getvalue())
    assert json.loads(stream.getvalue())["text"] == EVIL


def test_logs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    program = ["printf", "%s", "a log: \x1b[2Jowned\n"]
    state = type("State", (), {"container": "c"})()
    monkeypatch.setattr(services, "service_of", lambda *_: state)
    from labctl.engine import process

    run = process.stream
    monkeypatch.setattr(process, "stream", lambda _, *args, **options: run(program, *args, **options))
    with pytest.raises(typer.Exit) as caught:
        services.logs("glance", tail="1")
    assert caught.value.exit_code == 0
    assert capsys.readouterr().out == "a log: ␛[2Jowned\n"
