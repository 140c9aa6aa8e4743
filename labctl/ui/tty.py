"""A live table on a terminal: running steps, services and their states; finished steps stay above it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TextIO

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from labctl.events import Emit, Event
from labctl.ui.board import BAD, GOOD, IDLE, Board, Line, Row

Clock = Callable[[], float]

_REFRESHES: Final = 8
_NARROW: Final = 60
"""Columns below which the details are left out."""


@dataclass(frozen=True)
class Signs:
    """The characters in front of lines; for terminals with and without UTF-8."""

    good: str
    bad: str
    idle: str
    info: str
    spinner: str

    def of(self, row: Row, now: float) -> Text:
        """Returns the sign of a row."""
        if row.state in GOOD:
            return Text(self.good, "green")
        if row.state in BAD:
            return Text(self.bad, "bold red")
        return Text(self.idle, "dim") if row.state in IDLE else self.turning(now)

    def turning(self, now: float) -> Text:
        """Returns the spinner as it is at a moment."""
        return Text(self.spinner[int(now * _REFRESHES) % len(self.spinner)], "cyan")


UTF8: Final = Signs("✓", "✗", "·", "i", "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
ASCII: Final = Signs("+", "x", ".", "i", "|/-\\")


def draw(board: Board, options: ConsoleOptions, now: float, height: int | None) -> RenderableType:
    """Draws what is going on.

    Args:
        board: What is going on.
        options: The size and encoding of the terminal.
        now: Seconds since the epoch.
        height: How many lines it may take; None: all.

    Returns:
        The table, the running steps below it.
    """
    signs = ASCII if options.ascii_only else UTF8
    is_wide = options.max_width >= _NARROW
    steps = board.steps if height is None else board.steps[-max(1, height // 4) :]
    rows, rest = board.rows, ""
    if height is not None:
        rows, rest = board.fitting(max(0, height - len(steps)))
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(no_wrap=True, overflow="ellipsis")
    table.add_column(no_wrap=True, justify="right")
    if is_wide:
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
    for row in rows:
        state = Text(row.state, "red" if row.state in BAD else "")
        name = Text.assemble(signs.of(row, now), " ", row.name)
        cells = [name, state, Text(_seconds(row.seconds(now)), "dim")]
        table.add_row(*cells, *([Text(row.detail, "dim")] if is_wide else []))
    lines: list[RenderableType] = [table] if rows else []
    if rest:
        lines.append(_one_line(Text(f"  {rest}", "dim")))
    for step in steps:
        text = Text.assemble(signs.turning(now), " ", step.step, "  ", (_seconds(now - step.at), "dim"))
        lines.append(_one_line(text))
    return Group(*lines)


def draw_line(line: Line, options: ConsoleOptions) -> Text:
    """Draws a line that stays: sign, text, time, evidence."""
    signs = ASCII if options.ascii_only else UTF8
    sign = {
        "good": Text(signs.good, "green"),
        "bad": Text(signs.bad, "bold red"),
        "warning": Text("!", "bold yellow"),
    }.get(line.kind, Text(signs.info, "blue"))
    text = Text.assemble(sign, " ", line.text)
    if line.seconds is not None:
        text.append(f"  {_seconds(line.seconds)}", "dim")
    if line.evidence:
        text.append(f"  {line.evidence}", "red" if line.kind == "bad" else "dim")
    return text


class TtyListener:
    """Keeps the board and puts the lines that stay above the live part."""

    def __init__(self, console: Console, clock: Clock = time.time) -> None:
        self._console = console
        self._clock = clock
        self._board = Board()
        self._lock = threading.Lock()
        self.is_closed = False

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        with self._lock:
            self._board, line = self._board.after(event)
        # Outside the lock: printing takes the lock of rich's live display, whose thread in turn calls `picture`.
        if line is not None:
            self._console.print(draw_line(line, self._console.options), highlight=False)

    def picture(self) -> RenderableType:
        """Draws this moment; after the end all rows, even where they are more than the terminal has lines."""
        with self._lock:
            board = self._board
        height = None if self.is_closed else max(3, self._console.height - 1)
        return draw(board, self._console.options, self._clock(), height)


@contextmanager
def tty_listener(stream: TextIO, clock: Clock = time.time) -> Iterator[Emit]:
    """Shows events on a terminal while the body runs.

    Args:
        stream: The terminal.
        clock: Seconds since the epoch.

    Yields:
        The function that takes the events.
    """
    # Whether this is a terminal was decided by the caller, or by the user.
    console = Console(file=stream, force_terminal=True, markup=False, emoji=False)
    shown = TtyListener(console, clock)
    with Live(get_renderable=shown.picture, console=console, refresh_per_second=_REFRESHES, vertical_overflow="crop"):
        try:
            yield shown
        finally:
            shown.is_closed = True


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{max(0.0, seconds):.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02} s"


def _one_line(text: Text) -> RenderableType:
    text.no_wrap = True
    text.overflow = "ellipsis"
    return text
