"""Shows events: as a live table on a terminal, as plain lines, or as JSON. Imports what it needs when it is needed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TextIO

from labctl.events import Emit


class Progress(StrEnum):
    """How progress is shown."""

    AUTO = "auto"
    TTY = "tty"
    PLAIN = "plain"
    JSON = "json"


def choose(progress: Progress, stream: TextIO) -> Progress:
    """Decides what `auto` means for a stream.

    Args:
        progress: What was asked for.
        stream: Where it will go.

    Returns:
        Tty for a terminal that can move its cursor, else plain; anything but auto as it is.
    """
    if progress is not Progress.AUTO:
        return progress
    return Progress.TTY if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb" else Progress.PLAIN


@contextmanager
def listener(progress: Progress, stream: TextIO) -> Iterator[Emit]:
    """Shows events while the body runs.

    Args:
        progress: How.
        stream: Where: standard error or output.

    Yields:
        The function that takes the events; from any thread.
    """
    from labctl.ui.printable import clean_event

    _never_fail_to_encode(stream)
    chosen = choose(progress, stream)
    if chosen is Progress.TTY:
        from labctl.ui.tty import tty_listener

        with tty_listener(stream) as emit:
            yield lambda event: emit(clean_event(event))
    elif chosen is Progress.JSON:
        from labctl.ui.json import JsonListener

        yield JsonListener(stream)
    else:
        from labctl.ui.plain import PlainListener

        show = PlainListener(stream)
        yield lambda event: show(clean_event(event))


def _never_fail_to_encode(stream: TextIO) -> None:
    """Makes characters that the terminal does not have into question marks: showing a line must not end the work."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None and not (stream.encoding or "").lower().startswith("utf"):
        reconfigure(errors="replace")
