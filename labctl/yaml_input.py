"""Reading YAML: what anybody may have written, and what labctl and its catalog wrote.

How much there may be of a stranger's is checked before anything is made of it.

A document of some hundred bytes can stand for billions of values, by aliases of aliases, or be nested deeper than the
recursion of its readers goes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

DEEPEST = 40
MOST_NODES = 20_000
"""Values and keys of a document, each counted as often as aliases repeat it."""

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The loader in C is ten times faster, and not in every build of PyYAML. Both are safe: they make no objects."""

UNFIT = (ValueError, TypeError, AttributeError, LookupError, OverflowError)
"""What PyYAML's constructors raise for a value that its tag does not fit: `!!timestamp x`, `!!bool x`, `!!int ''`."""


def load_own_yaml(text: str | bytes) -> Any:
    """Reads a document that labctl or its catalog wrote.

    Raises:
        yaml.YAMLError: It is no YAML.
    """
    return yaml.load(text, Loader=LOADER)  # noqa: S506 - both are safe


def load_yaml(text: str | bytes) -> object:
    """Reads a document.

    Raises:
        yaml.YAMLError: It is no YAML, holds more or deeper than anybody means, or a value does not fit its tag.
    """
    if isinstance(text, bytes):
        text = decoded(text)
    check_size(text, LOADER)
    try:
        return yaml.load(text, Loader=LOADER)  # noqa: S506
    except UNFIT as error:
        raise yaml.YAMLError(f"a value does not fit its tag: {error}") from None


def decoded(content: bytes) -> str:
    """The text of a file.

    Raises:
        yaml.YAMLError: It is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise yaml.YAMLError(f"not UTF-8: {error}") from None


def check_size(text: str, loader: Any) -> None:
    """Checks how deep a document is, and how much it stands for.

    Args:
        text: The document.
        loader: The one that will read it: what another one takes for YAML may differ.

    Raises:
        yaml.YAMLError: It is no YAML, too deep, or stands for too much.
    """
    counted = _Counted()
    try:
        for event in _events(text, loader):
            counted.take(event)
    except ValueError as error:
        # The scanner takes numbers of directives as they are: `%YAML 9.999...` (yaml/scanner.py).
        raise yaml.MarkedYAMLError(problem=str(error)[:200]) from None


def _events(text: str, loader: Any) -> Iterator[yaml.Event]:
    unprintable = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if unprintable:
        raise yaml.YAMLError(f"the character U+{ord(unprintable.group()):04X} is not allowed in YAML")
    return yaml.parse(text, Loader=loader)


@dataclass
class _Counted:
    """How many nodes there are in what is open, the innermost last, and behind each anchor."""

    open: list[tuple[str | None, int]] = field(default_factory=list)
    anchors: dict[str, int] = field(default_factory=dict)

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.CollectionStartEvent):
            self.open.append((event.anchor, 1))
            if len(self.open) > DEEPEST:
                raise _too_much(event, f"nested deeper than {DEEPEST} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, nodes = self.open.pop()
            self._add(event, anchor, nodes)
        elif isinstance(event, yaml.ScalarEvent):
            self._add(event, event.anchor, 1)
        elif isinstance(event, yaml.AliasEvent):
            # Of one that it is part of there is no count yet; whoever makes values of it refuses that.
            self._add(event, None, self.anchors.get(event.anchor or "", 1))

    def _add(self, event: yaml.Event, anchor: str | None, nodes: int) -> None:
        if anchor is not None:
            self.anchors[anchor] = nodes
        if self.open:
            outer, before = self.open[-1]
            self.open[-1] = (outer, before + nodes)
            nodes += before
        if nodes > MOST_NODES:
            raise _too_much(event, f"more than {MOST_NODES} values, with those that aliases repeat")


def _too_much(event: Any, what: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=event.start_mark)
