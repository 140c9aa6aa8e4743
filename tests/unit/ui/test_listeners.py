"""What the listeners write for the same story."""

import io
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from rich.console import Console

from labctl.errors import BadInput, LabctlError
from labctl.events import Event, Note, ServiceChanged, StepFailed, StepFinished, StepStarted
from labctl.ui import Progress, choose, listener
from labctl.ui.board import Board, Line
from labctl.ui.errors import show_error
from labctl.ui.tty import draw, draw_line

STORY: Sequence[Event] = (
    StepStarted("render", at=100.0),
    StepFinished("render", 0.25, "23 files", at=100.25),
    StepStarted("bring up", at=100.3),
    ServiceChanged("mariadb", "waiting", at=100.4),
    ServiceChanged("keystone", "waiting", "for mariadb", at=100.4),
    ServiceChanged("mariadb", "starting", at=100.5),
    ServiceChanged("mariadb", "healthy", at=102.0),
    ServiceChanged("keystone", "starting", at=102.1),
    Note("KVM does not work here: QEMU is used", level="warning", at=102.2),
    ServiceChanged("keystone", "failed", "exit code 1\nlast line", at=103.1),
    StepFailed("bring up", 2.8, "keystone failed", at=103.1),
)


@dataclass(frozen=True)
class Custom(Event):
    """An event that this version of the user interface has never heard of."""

    size: int


def shown(progress: Progress, events: Sequence[Event] = STORY) -> str:
    stream = io.StringIO()
    with listener(progress, stream) as emit:
        for event in events:
            emit(event)
    return stream.getvalue()


def test_plain() -> None:
    assert shown(Progress.PLAIN).splitlines() == [
        "    0.0  render ...",
        "    0.2  render: done in 0.2 s: 23 files",
        "    0.3  bring up ...",
        "    0.4  mariadb: waiting",
        "    0.4  keystone: waiting (for mariadb)",
        "    0.5  mariadb: starting",
        "    2.0  mariadb: healthy",
        "    2.1  keystone: starting",
        "    2.2  warning: KVM does not work here: QEMU is used",
        "    3.1  keystone: failed (exit code 1 / last line)",
        "    3.1  bring up: FAILED after 2.8 s: keystone failed",
    ]


def test_plain_shows_events_that_it_does_not_know() -> None:
    assert shown(Progress.PLAIN, [Custom(3, at=1.0)]) == "    0.0  custom: size=3\n"


def test_json() -> None:
    lines = shown(Progress.JSON).splitlines()
    assert len(lines) == len(STORY)
    assert json.loads(lines[1]) == {
        "event": "step_finished",
        "at": 100.25,
        "step": "render",
        "seconds": 0.25,
        "evidence": "23 files",
    }
    assert (
        lines[5] == '{"event": "service_changed", "at": 100.5, "service": "mariadb", "state": "starting", "detail": ""}'
    )


def test_auto_is_plain_where_there_is_no_terminal() -> None:
    assert choose(Progress.AUTO, io.StringIO()) is Progress.PLAIN


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("term", "expected"), [("xterm", Progress.TTY), ("dumb", Progress.PLAIN)])
def test_auto_is_tty_on_a_terminal(monkeypatch: pytest.MonkeyPatch, term: str, expected: Progress) -> None:
    monkeypatch.setenv("TERM", term)
    assert choose(Progress.AUTO, Terminal()) is expected
    assert choose(Progress.JSON, Terminal()) is Progress.JSON


@pytest.mark.parametrize("progress", [Progress.PLAIN, Progress.JSON, Progress.TTY])
def test_a_stream_that_lacks_a_character_does_not_end_the_work(progress: Progress) -> None:
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, encoding="ascii")
    with listener(progress, stream) as emit:
        emit(Note("10 \N{MICRO SIGN}s \N{CHECK MARK}"))
    stream.flush()
    assert b"10 " in content.getvalue()


@pytest.mark.parametrize("progress", [Progress.PLAIN, Progress.JSON])
def test_lines_of_several_threads_do_not_mix(progress: Progress) -> None:
    stream = io.StringIO()
    with listener(progress, stream) as emit:

        def say(number: int) -> None:
            for _ in range(50):
                emit(Note(str(number) * 20, at=5.0))

        threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 200
    assert len(set(lines)) == 4


def test_the_terminal_takes_events_of_several_threads() -> None:
    stream = io.StringIO()
    with listener(Progress.TTY, stream) as emit:

        def work(number: int) -> None:
            for index in range(20):
                emit(ServiceChanged(f"service{number}", "starting" if index < 19 else "healthy"))
                emit(StepFinished(f"step {number}.{index}", 0.1))

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=30)
            assert not thread.is_alive()
    text = stream.getvalue()
    assert all(f"step {number}.{index}" in text for number in range(4) for index in range(20))
    assert text.count("service3") >= 1


def board_of(events: Sequence[Event]) -> tuple[Board, list[Line]]:
    board, lines = Board(), []
    for event in events:
        board, line = board.after(event)
        if line is not None:
            lines.append(line)
    return board, lines


def picture(board: Board, *, width: int = 80, height: int | None = None, encoding: str = "utf-8") -> list[str]:
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="replace")
    console = Console(file=stream, width=width, color_system=None, force_terminal=True)
    with console.capture() as capture:
        console.print(draw(board, console.options, 104.0, height))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_the_table_while_services_start() -> None:
    board, _ = board_of(STORY[:9])
    assert picture(board) == [
        "✓ mariadb   healthy   1.5 s",
        "⠹ keystone  starting  1.9 s",
        "⠹ bring up  3.7 s",
    ]


def test_the_table_with_trouble() -> None:
    board, _ = board_of(STORY)
    assert picture(board) == [
        "✓ mariadb   healthy  1.5 s",
        "✗ keystone  failed   1.0 s  exit code 1 / last line",
    ]


def test_a_narrow_terminal_without_utf_8() -> None:
    board, _ = board_of(STORY)
    assert picture(board, width=30, encoding="ascii") == [
        "+ mariadb   healthy  1.5 s",
        "x keystone  failed   1.0 s",
    ]


@pytest.mark.parametrize("width", [1, 5, 12])
def test_no_terminal_is_too_narrow(width: int) -> None:
    board, _ = board_of(STORY)
    assert all(len(line) <= width for line in picture(board, width=width))


def test_a_low_terminal_shows_what_matters() -> None:
    events = [ServiceChanged(f"s{number}", "healthy", at=100.0) for number in range(5)]
    events += [ServiceChanged("slow", "starting", at=101.0), ServiceChanged("bad", "failed", at=102.0)]
    board, _ = board_of([*events, StepStarted("bring up", at=100.0)])
    assert picture(board, height=5) == [
        "✓ s0    healthy   0.0 s",
        "⠹ slow  starting  3.0 s",
        "✗ bad   failed    0.0 s",
        "  and 4 healthy",
        "⠹ bring up  4.0 s",
    ]


def test_lines_that_stay() -> None:
    console = Console(file=io.StringIO(), width=80)
    _, lines = board_of(STORY)
    assert [draw_line(line, console.options).plain for line in lines] == [
        "✓ render  0.2 s  23 files",
        "! KVM does not work here: QEMU is used",
        "✗ bring up  2.8 s  keystone failed",
    ]


def error_text(error: LabctlError) -> str:
    stream = io.StringIO()
    show_error(error, Console(file=stream, width=20))
    return stream.getvalue()


def test_an_error_is_shown_whole() -> None:
    error = BadInput("lab.yaml has a mistake", evidence=["lab.yaml:1:8: nodes: '[b]' :smile:", "x"], remedy="Mend it.")
    assert error_text(error) == (
        "Error: lab.yaml has a mistake\n    lab.yaml:1:8: nodes: '[b]' :smile:\n    x\nWhat to do: Mend it.\n"
    )
    assert error_text(LabctlError("It broke")) == "Error: It broke\n"
