"""YAML with positions: the values of a file, and the line and column that each of them and its key came from."""

from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from labctl.errors import BadInput
from labctl.files import read_regular
from labctl.yaml_input import UNFIT, check_size

MOST_BYTES = 64 * 1024
"""Of a lab file; sixty-four nodes with drop-ins for each service are some thousand."""

Location = tuple[int | str, ...]
"""Where a value is: keys and list indices from the top of the document; pydantic's `loc` is one."""


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, order=True)
class Problem:
    """A mistake in a file, in the order of the file.

    Attributes:
        position: Where.
        key: The key, such as `configuration.nova[0]`; empty for the whole document.
        text: What is wrong and what is allowed.
    """

    position: Position
    key: str
    text: str

    def line(self, path: Path) -> str:
        """Writes it as compilers do, so that editors can jump to it."""
        key = f"{self.key}: " if self.key else ""
        return f"{path}:{self.position.line}:{self.position.column}: {key}{self.text}"


@dataclass(frozen=True)
class Document:
    """What a YAML file says.

    Attributes:
        path: The file.
        value: Its content as mappings, lists and scalars; an empty file is an empty mapping.
        values: The positions of values.
        keys: The positions of keys of mappings.
        problems: Mistakes; those that reading found, and room for those that a schema finds.
    """

    path: Path
    value: object
    values: dict[Location, Position]
    keys: dict[Location, Position]
    problems: list[Problem] = field(default_factory=list)

    def at(self, location: Location) -> Position:
        """Returns the position of a value, or of the nearest thing around it that is in the file."""
        while location and location not in self.values:
            location = location[:-1]
        return self.values.get(location, Position(1, 1))

    def at_key(self, location: Location) -> Position:
        """Returns the position of a key."""
        return self.keys.get(location, self.at(location))


def read_document(path: Path, text_keys: Collection[str] = ()) -> Document:
    """Reads a YAML file.

    Args:
        path: The file, in UTF-8.
        text_keys: Keys of the top level whose scalars stay text as it is written, except null.

    Returns:
        The document. Duplicate keys and values that YAML cannot read are in its `problems`.

    Raises:
        BadInput: The file cannot be read, or is not YAML at all.
    """
    text = _text(path)
    try:
        check_size(text, yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise _refused(path, error) from None
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Document(path, {}, {}, {})
        reader = _Reader(loader, text_keys)
        value = reader.read(node, ())
        return Document(path, {} if value is None else value, reader.values, reader.keys, reader.problems)
    except yaml.MarkedYAMLError as error:
        raise _refused(path, error) from None
    finally:
        loader.dispose()


def _text(path: Path) -> str:
    content = read_regular(path, MOST_BYTES)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _malformed(path, _place(content[: error.start].decode()), "this byte is not UTF-8") from error
    unprintable = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if unprintable:
        place = _place(text[: unprintable.start()])
        raise _malformed(path, place, f"the character U+{ord(unprintable.group()):04X} is not allowed in YAML")
    return text


def _place(before: str) -> Position:
    """Returns the position after some text."""
    return Position(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _position(mark: Any) -> Position:
    return Position(1, 1) if mark is None else Position(mark.line + 1, mark.column + 1)


def _refused(path: Path, error: yaml.MarkedYAMLError) -> BadInput:
    mark = error.problem_mark or error.context_mark
    return _malformed(path, _position(mark), error.problem or error.context or str(error))


def _malformed(path: Path, position: Position, why: str) -> BadInput:
    line = Problem(position, "", f"not YAML: {why}").line(path)
    return BadInput(f"{path} has a mistake", evidence=[line], remedy="Correct the file and try again.")


class _Reader:
    """Turns nodes into values and remembers where they were."""

    def __init__(self, loader: yaml.SafeLoader, text_keys: Collection[str]) -> None:
        self._loader = loader
        self._text_keys = text_keys
        self._open: set[int] = set()
        self.values: dict[Location, Position] = {}
        self.keys: dict[Location, Position] = {}
        self.problems: list[Problem] = []

    def read(self, node: yaml.Node, location: Location) -> object:
        """Returns the value of a node."""
        self.values.setdefault(location, _position(node.start_mark))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, location)
        if id(node) in self._open:
            self._complain(node, location, "an alias cannot stand for something that it is part of")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self._mapping(node, location)
            return [self.read(item, (*location, index)) for index, item in enumerate(node.value)]
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, location: Location) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._complain(key_node, location, "a key must be one word")
                continue
            # As it is written: no key of ours is a number, and `on:` must not turn into True.
            key = key_node.value
            inner = (*location, key)
            if key in result:
                first = self.keys[inner].line
                self._complain(key_node, inner, f"this key is here twice; the first is in line {first}")
                continue
            self.keys[inner] = _position(key_node.start_mark)
            result[key] = self.read(value_node, inner)
        return result

    def _scalar(self, node: yaml.ScalarNode, location: Location) -> object:
        is_text = len(location) == 1 and location[0] in self._text_keys
        if is_text and node.tag != "tag:yaml.org,2002:null":
            return node.value
        try:
            return self._loader.construct_object(node)
        except (yaml.YAMLError, *UNFIT) as error:
            why = error.problem if isinstance(error, yaml.MarkedYAMLError) else str(error)
            self._complain(node, location, f"this value cannot be read: {why}")
            return None

    def _complain(self, node: yaml.Node, location: Location, text: str) -> None:
        key = ".".join(str(part) for part in location)
        self.problems.append(Problem(_position(node.start_mark), key, text))
