"""Checks files against the options that a service registers. Pure: files and options in, findings out."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from labctl.configuration.ini import IniFile, Setting, comments_within, fold
from labctl.configuration.options import AUTH_TYPE, Found, Registry, qualified
from labctl.configuration.values import not_among, why_not
from labctl.lab.document import Position
from labctl.lab.names import nearest

MOST_SECTIONS = 4
MOST_HINTS = 50
"""Of one file: what was meant by a name is looked for among all that there are, which takes a moment each time."""
LONGEST_NAME = 100
_ASSIGNMENT = re.compile(r"([A-Za-z0-9_]+)\s*[=:]")


class Kind(StrEnum):
    """What is wrong."""

    SYNTAX = "syntax"
    UNKNOWN_SECTION = "unknown-section"
    UNKNOWN_OPTION = "unknown-option"
    REMOVED = "removed"
    WRONG_SECTION = "wrong-section"
    BAD_VALUE = "bad-value"
    INLINE_COMMENT = "inline-comment"
    INDENTED = "indented"
    DUPLICATE = "duplicate"
    DEPRECATED = "deprecated"


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong with a file.

    Attributes:
        path: The file.
        at: Where in it.
        kind: What sort of thing it is.
        text: What is wrong, and what would be right. Never holds a secret value.
        is_error: Whether the service would do something else than what was meant; else it is worth a look.
    """

    path: Path
    at: Position
    kind: Kind
    text: str
    is_error: bool = True

    @property
    def line(self) -> str:
        """Written as compilers do, so that editors can jump to it."""
        warning = "" if self.is_error else "warning: "
        return f"{self.path}:{self.at.line}:{self.at.column}: {warning}{self.text}"


def check_files(files: Sequence[IniFile], registry: Registry, context: Iterable[IniFile] = ()) -> tuple[Finding, ...]:
    """Checks files that one service reads.

    Args:
        files: The files, in the order in which they are read.
        registry: The service's options.
        context: Files that it reads before them and that are not checked; they may name sections (backends) and choose
            authentication plugins.

    Returns:
        What is wrong, in the order of the files.
    """
    known = registry.for_files([*context, *files])
    return tuple(finding for file in files for finding in sorted(set(_check(file, known))))


class _Hints:
    """Says what was probably meant by a wrong name, as long as it is worth the time."""

    def __init__(self) -> None:
        self._left = MOST_HINTS

    def nearest(self, name: str, candidates: Iterable[str]) -> str:
        """As `labctl.lab.names.nearest`; nothing for the names after the first few."""
        self._left -= 1
        return nearest(name, candidates) if self._left >= 0 and len(name) <= LONGEST_NAME else ""


def _check(file: IniFile, registry: Registry) -> Iterator[Finding]:
    for line in file.malformed:
        yield Finding(file.path, line.at, Kind.SYNTAX, line.text)
    hints = _Hints()
    for section in file.sections:
        if not registry.has_section(fold(section.name)):
            near = hints.nearest(section.name, registry.sections)
            text = "; ".join(filter(None, (f"unknown section [{section.name}]", near)))
            yield Finding(file.path, section.at, Kind.UNKNOWN_SECTION, f"{text}: {registry.service} does not read it")
    first: dict[tuple[str, str], Setting] = {}
    for setting in file.settings:
        if not registry.has_section(setting.section):
            continue  # said of the section, or of the line outside of any
        found = registry.find(setting.section, setting.name)
        if found is None:
            kind, text = _unknown(setting, registry, hints)
            yield Finding(file.path, setting.at, kind, text)
            continue
        before = first.setdefault((setting.section, setting.name), setting)
        if before is not setting and not any(option.multi for option in found.options):
            text = f"{setting.name} is here twice; the first is in line {before.at.line}, and only the last counts"
            yield Finding(file.path, setting.at, Kind.DUPLICATE, text)
        yield from _deprecated(file, setting, found)
        yield from _value(file, setting, found, registry)


def _unknown(setting: Setting, registry: Registry, hints: _Hints) -> tuple[Kind, str]:
    """Says of a name that means nothing in its section what was probably meant."""
    what = f"{registry.service} has no option {setting.name} in [{setting.section}]"
    instead = registry.removed.get(f"{setting.section}.{setting.name}")
    if instead is not None:
        return Kind.REMOVED, f"{what} any more: {instead}"
    here = registry.sections.get(setting.section, {})
    spelled = setting.name.replace("-", "_")
    if AUTH_TYPE in here:
        plugins = registry.plugins_with(spelled)
        if plugins and spelled not in here:
            would = ", ".join(plugins[:MOST_SECTIONS])
            return Kind.UNKNOWN_OPTION, f"{what} with this auth_type; it is an option of {would}"
    elsewhere = registry.sections_with(spelled)
    if elsewhere and spelled not in here:
        shown = ", ".join(f"[{section}]" for section in elsewhere[:MOST_SECTIONS])
        more = " and others" if len(elsewhere) > MOST_SECTIONS else ""
        return Kind.WRONG_SECTION, f"{what}; it is in section {shown}{more}"
    return Kind.UNKNOWN_OPTION, "; ".join(filter(None, (what, hints.nearest(spelled, here))))


def _deprecated(file: IniFile, setting: Setting, found: Found) -> Iterator[Finding]:
    if found.is_old:
        now = " or ".join(dict.fromkeys(qualified(option.section, option.name) for option in found.options))
        text = f"{qualified(setting.section, setting.name)} is an old name, which a later release may drop: use {now}"
        yield Finding(file.path, setting.at, Kind.DEPRECATED, text, is_error=False)
    removal = found.options[0].removal
    if removal is not None and all(option.removal is not None for option in found.options):
        text = f"{setting.name} will be removed: {removal}"
        yield Finding(file.path, setting.at, Kind.DEPRECATED, text, is_error=False)


def _value(file: IniFile, setting: Setting, found: Found, registry: Registry) -> Iterator[Finding]:
    """Checks a value: what is in it that was not meant to be, and else whether it is of the option's type."""
    wrong = why_not(found.options, setting.value)
    for comment in comments_within(setting):
        text = f"oslo.config takes this as part of the value of {setting.name}: a comment needs a line of its own"
        certain = comment.is_certain or wrong is not None
        yield Finding(file.path, comment.at, Kind.INLINE_COMMENT, text, is_error=certain)
        wrong = None
    for line in setting.more:
        name = _ASSIGNMENT.match(line.text)
        if name and registry.find(setting.section, name.group(1)):
            text = f"this line is indented, and so part of the value of {setting.name}"
            yield Finding(file.path, line.at, Kind.INDENTED, text)
            wrong = None
    if registry.present_name(setting) == AUTH_TYPE and setting.value and setting.value not in registry.listed.plugins:
        wrong = not_among(setting.value, tuple(registry.listed.plugins))
    if wrong is not None:
        yield Finding(file.path, setting.value_at, Kind.BAD_VALUE, f"{setting.name}: {wrong}")
