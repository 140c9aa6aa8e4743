"""oslo.config's INI dialect, with the place of everything, and all mistakes of a file instead of its first.

The rules are those of oslo_config/iniparser.py: comments only at the start of a line (`#` or `;`), an indented line
goes on with the value before it, `=` or `:` between name and value, one pair of quotes around a value is taken off.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from labctl.errors import BadInput
from labctl.files import read_regular
from labctl.lab.document import Position

MOST_BYTES = 2 << 20
"""Of a file; the sample files with all options and what they are for have half a million."""

DEFAULT = "DEFAULT"
"""The one section whose name is not folded to lower case."""


@dataclass(frozen=True)
class Continuation:
    """An indented line that goes on with a value."""

    at: Position
    text: str


@dataclass(frozen=True)
class Setting:
    """One value given to one option.

    Attributes:
        section: Its section, folded as oslo.config folds it.
        name: The option's name as it is written.
        value: What oslo.config takes as the value.
        written: The first line of the value as it is written, with quotes.
        at: Where the name is.
        value_at: Where the value begins.
        more: The lines that go on with the value.
    """

    section: str
    name: str
    value: str
    written: str
    at: Position
    value_at: Position
    more: tuple[Continuation, ...] = ()


@dataclass(frozen=True)
class Section:
    """A line that starts a section; the same section may start more than once."""

    name: str
    at: Position


@dataclass(frozen=True)
class Malformed:
    """A line that oslo.config refuses: the service would not start."""

    at: Position
    text: str


@dataclass(frozen=True)
class IniFile:
    """What one file says.

    Attributes:
        path: The file, as it shall be named to people.
        sections: The lines that start sections.
        settings: The values, in the order of the file.
        malformed: What oslo.config would refuse.
    """

    path: Path
    sections: tuple[Section, ...]
    settings: tuple[Setting, ...]
    malformed: tuple[Malformed, ...]


def fold(section: str) -> str:
    """The name under which oslo.config finds a section (`_normalize_group_name` of oslo_config/cfg.py)."""
    return section if section == DEFAULT else section.lower()


def read_ini(path: Path) -> IniFile:
    """Reads a file.

    Raises:
        BadInput: It cannot be read, is larger than any, or is not text in UTF-8.
    """
    try:
        return parse_ini(path, read_regular(path, MOST_BYTES).decode())
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not text in UTF-8", evidence=[str(error)]) from error


def parse_ini(path: Path, text: str) -> IniFile:
    """Takes the text of a file apart."""
    parser = _Parser()
    # Lines end as they do for Python's text files: \n, \r\n or \r.
    for number, line in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), 1):
        parser.take(number, line.rstrip())
    parser.flush()
    return IniFile(path, tuple(parser.sections), tuple(parser.settings), tuple(parser.malformed))


class _Parser:
    """Takes one line after the other, as BaseParser.parse of oslo_config/iniparser.py does."""

    def __init__(self) -> None:
        self.sections: list[Section] = []
        self.settings: list[Setting] = []
        self.malformed: list[Malformed] = []
        self._open: Setting | None = None
        self._more: list[Continuation] = []
        self._section: str | None = None

    def take(self, number: int, line: str) -> None:
        if line.startswith((" ", "\t")):
            self._go_on(number, line)
            return
        self.flush()
        if not line or line.startswith(("#", ";")):
            return
        if line.startswith("["):
            self._start_section(number, line)
        else:
            self._assign(number, line)

    def flush(self) -> None:
        """Ends the value that is open."""
        if self._open:
            value = "\n".join((self._open.value, *(line.text for line in self._more)))
            self.settings.append(replace(self._open, value=value, more=tuple(self._more)))
        self._open, self._more = None, []

    def _complain(self, number: int, column: int, text: str) -> None:
        self.malformed.append(Malformed(Position(number, column), text))

    def _go_on(self, number: int, line: str) -> None:
        text = line.lstrip()
        at = Position(number, len(line) - len(text) + 1)
        if self._open is None:
            self._complain(number, 1, "this line is indented, and there is no value before it that it could go on with")
            return
        self._more.append(Continuation(at, text))

    def _start_section(self, number: int, line: str) -> None:
        if not line.endswith("]"):
            self._complain(number, 1, "the line of a section must end in ]; a comment needs a line of its own")
        elif len(line) == 2:
            self._complain(number, 1, "a section needs a name")
        else:
            self._section = line[1:-1]
            self.sections.append(Section(self._section, Position(number, 1)))

    def _assign(self, number: int, line: str) -> None:
        places = [place for place in (line.find("="), line.find(":")) if place >= 0]
        if not places:
            self._complain(number, 1, "neither a section, nor a comment, nor an option: there is no = in it")
            return
        place = min(places)
        name, rest = line[:place].strip(), line[place + 1 :]
        if not name:
            self._complain(number, 1, "there is no name before the =")
            return
        written = rest.strip()
        column = place + 2 + len(rest) - len(rest.lstrip())
        if self._section is None:
            self._complain(number, 1, f"{name} is outside of any section: a line such as [DEFAULT] must come before it")
        at, value_at = Position(number, 1), Position(number, column if written else place + 2)
        self._open = Setting(fold(self._section or ""), name, unquoted(written), written, at, value_at)


def unquoted(value: str) -> str:
    """A value without the quotes around it."""
    return value[1:-1] if value.startswith(('"', "'")) and value[0] == value[-1] else value


@dataclass(frozen=True)
class CommentWithin:
    """What looks like a comment within a value.

    Attributes:
        at: Where it begins.
        is_certain: Whether it can hardly be anything else: with white space on both sides, or a line of its own.
    """

    at: Position
    is_certain: bool


def comments_within(setting: Setting) -> Iterator[CommentWithin]:
    """Finds what was meant as a comment and is part of a value: ` # ...` after it, or an indented line of comment."""
    for at, text in [(setting.value_at, setting.written), *((line.at, line.text) for line in setting.more)]:
        index = comment_index(text)
        # Nothing but a comment can only be a value in the first line of one: `name = #word`.
        if index is not None:
            alone = index == 0 and at is not setting.value_at
            spaced = not text[index + 1 : index + 2].strip()
            yield CommentWithin(Position(at.line, at.column + index), alone or spaced)


def comment_index(text: str) -> int | None:
    """The index of the first `#` (or ` ; `) outside of quotes that starts a word, if there is one."""
    quote = ""
    for index, character in enumerate(text):
        if character in "\"'":
            quote = "" if quote == character else quote or character
        elif quote or (index and not text[index - 1].isspace()):
            continue
        elif character == "#" or (character == ";" and not text[index + 1 : index + 2].strip()):
            return index
    return None
