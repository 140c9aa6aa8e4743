"""The one way to the terminal: what is shown moves no cursor, clears no screen, sets no title and hides no text.

Logs, consoles, names of servers, labels and files are other people's, and may hold escape sequences.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import typer

from labctl.events import Event

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

REPLACEMENT = 0xFFFD
"""What stands for a character that has no picture."""

_C0 = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
"""To the pictures of control characters (Unicode, Control Pictures): ESC is shown as a small ESC."""

# C1, which terminals take for escape sequences too; what turns the direction of text, so that it reads as another one
# (https://trojansource.codes); line and paragraph separators; halves of pairs of surrogates, which no terminal can get.
_OTHERS = (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029, *range(0xD800, 0xE000))

_PICTURES: Mapping[int, int] = {**_C0, 0x7F: 0x2421, **dict.fromkeys(_OTHERS, REPLACEMENT)}


def printable(text: str) -> str:
    """The text as a terminal may have it: of the same length, with pictures in place of control characters."""
    return text.translate(_PICTURES)


def say(text: str = "", *, err: bool = False, nl: bool = True) -> None:
    """Prints a text.

    Args:
        text: What.
        err: To standard error, instead of standard output.
        nl: With the end of a line.
    """
    typer.echo(printable(text), err=err, nl=nl)


def show(console: "Console", text: "Text", *, end: str = "\n") -> None:
    """Prints a text with colours of labctl's own; its lines are never wrapped or cut: they are meant to be copied."""
    console.print(clean_text(text), soft_wrap=True, highlight=False, markup=False, emoji=False, end=end)


def clean_text(text: "Text") -> "Text":
    """The text, with its colours, as a terminal may have it."""
    from rich.text import Text

    return Text(printable(text.plain), style=text.style, spans=list(text.spans))


def clean_event(event: Event) -> Event:
    """The event, with every text in it as a terminal may have it."""
    cleaned: Event = _clean(event)
    return cleaned


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, tuple):
        return tuple(_clean(one) for one in value)
    if hasattr(value, "__dataclass_fields__"):
        return replace(value, **{one.name: _clean(getattr(value, one.name)) for one in fields(value) if one.init})
    return value
