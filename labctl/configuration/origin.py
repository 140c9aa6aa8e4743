"""What a service's files come to: which value counts, where it is, and what it overrode. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from labctl.configuration.ini import DEFAULT, IniFile, Setting
from labctl.configuration.options import Option, Registry


@dataclass(frozen=True)
class Given:
    """A value, and where it is.

    Attributes:
        value: The value.
        path: The file.
        line: The line.
    """

    value: str
    path: Path
    line: int


@dataclass(frozen=True)
class Effective:
    """What one option is.

    Attributes:
        section: Its section.
        name: Its present name, also where the files have an old one.
        option: What is registered; None where nothing of that name is.
        given: The value that counts; of an option that may be there more than once, all of them; empty where none is
            given and the default counts.
        overridden: The values that do not count, the latest first.
    """

    section: str
    name: str
    option: Option | None
    given: tuple[Given, ...]
    overridden: tuple[Given, ...] = ()

    @property
    def values(self) -> tuple[str, ...]:
        """The values that count, the default's too."""
        if self.given or self.option is None or self.option.default is None:
            return tuple(one.value for one in self.given)
        return (self.option.default,) if isinstance(self.option.default, str) else self.option.default


def effective(files: Sequence[IniFile], registry: Registry, *, with_defaults: bool = False) -> tuple[Effective, ...]:
    """Reads files as oslo.config does: later ones count more, and in one file the present name more than an old one.

    Args:
        files: The files, in the order in which the service reads them.
        registry: The service's options.
        with_defaults: Whether options that no file gives are listed as well.

    Returns:
        The options by section, DEFAULT first, and by name.
    """
    known = registry.for_files(files)
    found: dict[tuple[str, str], list[tuple[tuple[int, bool, int], Given]]] = {}
    for index, file in enumerate(files):
        for order, setting in enumerate(file.settings):
            given = Given(setting.value, file.path, setting.at.line)
            for key, is_old in _meant(setting, known):
                found.setdefault(key, []).append(((index, not is_old, order), given))
    if with_defaults:
        for section, names in known.sections.items():
            for name in names:
                found.setdefault((section, name), [])
    result = [_settle(key, candidates, known) for key, candidates in found.items()]
    return tuple(sorted(result, key=lambda one: (one.section != DEFAULT, one.section, one.name)))


def _meant(setting: Setting, registry: Registry) -> Iterable[tuple[tuple[str, str], bool]]:
    """The options that a setting is for, by their present names, and whether it uses an old one."""
    here = (setting.section, setting.name)
    known = registry.find(*here)
    if known is None or not known.is_old:
        return [(here, False)]
    return [((option.section, option.name), True) for option in known.options]


def _settle(
    key: tuple[str, str], candidates: list[tuple[tuple[int, bool, int], Given]], registry: Registry
) -> Effective:
    known = registry.find(*key)
    option = known.options[0] if known else None
    in_order = [given for _, given in sorted(candidates, key=lambda candidate: candidate[0])]
    if option is not None and option.multi:
        return Effective(*key, option, tuple(in_order))
    return Effective(*key, option, tuple(in_order[-1:]), tuple(reversed(in_order[:-1])))
