"""The options that a service registers: what list_options.py found in its image, and how they are looked up."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from pydantic import TypeAdapter

from labctl.configuration.ini import DEFAULT, IniFile, Setting, fold

AUTH_TYPE, AUTH_SECTION = "auth_type", "auth_section"
"""Options of keystoneauth: the plugin, whose options the section has then; and another section that has them."""


@dataclass(frozen=True)
class ValueType:
    """A type of oslo.config, as its constructor takes it.

    Attributes:
        name: The class in oslo_config.types; empty for a function that only its service knows.
        arguments: What it was made with.
        inner: The type of items or values, of lists and dicts.
    """

    name: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    inner: "ValueType | None" = None


@dataclass(frozen=True)
class Deprecated:
    """A name that an option had before."""

    section: str
    name: str


@dataclass(frozen=True)
class Option:
    """One registered option.

    Attributes:
        section: Its section.
        name: Its name in files.
        type: What its value must be.
        type_name: The type for people, such as "integer value".
        default: The default; None where there is none.
        multi: Whether it may be there more than once, each with a value of its own.
        secret: Whether its value must not be shown.
        mutable: Whether a running service takes a new value (SIGHUP).
        required: Whether there must be a value.
        help: What it is for.
        deprecated: The names that it had before.
        removal: Why it will be removed; None where it will not be.
        package: Who registers it, such as "nova 30.0.0".
    """

    section: str
    name: str
    type: ValueType
    type_name: str
    default: str | tuple[str, ...] | None = None
    multi: bool = False
    secret: bool = False
    mutable: bool = False
    required: bool = False
    help: str = ""
    deprecated: tuple[Deprecated, ...] = ()
    removal: str | None = None
    package: str = ""


@dataclass(frozen=True)
class Listed:
    """What list_options.py prints.

    Attributes:
        options: The options of all namespaces; one that two of them have is there twice.
        plugins: Name of an authentication plugin to the options that it adds to a section.
    """

    options: tuple[Option, ...]
    plugins: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)


LISTED = TypeAdapter(Listed)


@dataclass(frozen=True)
class Found:
    """What is known of a name in a section.

    Attributes:
        options: The options that it stands for; more than one where several parts of a service register it.
        is_old: Whether it is a name that they had before.
    """

    options: tuple[Option, ...]
    is_old: bool = False


@dataclass(frozen=True)
class Registry:
    """All options of one service's configuration.

    Attributes:
        service: The service.
        listed: What its image says.
        alike: Section to the section whose options it has: sections that the code names and no namespace lists.
        named_by: Option (`SECTION.NAME`) whose value names sections, to the section whose options those have.
        removed: Option (`SECTION.NAME`) that an earlier release had, to what is to be done instead.
    """

    service: str
    listed: Listed
    alike: Mapping[str, str] = field(default_factory=dict)
    named_by: Mapping[str, str] = field(default_factory=dict)
    removed: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def sections(self) -> Mapping[str, Mapping[str, tuple[Option, ...]]]:
        """Section to name to options."""
        found: dict[str, dict[str, tuple[Option, ...]]] = defaultdict(dict)
        for option in self.listed.options:
            names = found[fold(option.section)]
            names[option.name] = (*names.get(option.name, ()), option)
        for section, like in self.alike.items():
            for name, options in dict(found[fold(like)]).items():
                moved = tuple(in_section(option, section) for option in options)
                found[fold(section)].setdefault(name, moved)
        return found

    @cached_property
    def old_names(self) -> Mapping[tuple[str, str], tuple[Option, ...]]:
        """Section and name that options had before, to those options."""
        found: dict[tuple[str, str], tuple[Option, ...]] = {}
        for names in self.sections.values():
            for options in names.values():
                for option in options:
                    for old in option.deprecated:
                        key = (fold(old.section), old.name)
                        found[key] = (*found.get(key, ()), option)
        return found

    @cached_property
    def _old_sections(self) -> frozenset[str]:
        return frozenset(section for section, _ in self.old_names)

    def find(self, section: str, name: str) -> Found | None:
        """What a name in a section means, if it means anything."""
        options = self.sections.get(section, {}).get(name)
        if options:
            return Found(options)
        old = self.old_names.get((section, name))
        return Found(old, is_old=True) if old else None

    def sections_with(self, name: str) -> tuple[str, ...]:
        """The sections that have an option of this name."""
        return tuple(section for section, names in sorted(self.sections.items()) if name in names)

    def has_section(self, section: str) -> bool:
        """Whether anything of this section means anything."""
        return bool(self.sections.get(section)) or section in self._old_sections

    @property
    def package(self) -> str:
        """The service's own package and its version: the first that is asked."""
        return self.listed.options[0].package

    def for_files(self, files: Iterable[IniFile]) -> "Registry":
        """Adds the sections that these files name, and the options of the authentication plugins that they choose."""
        settings = [setting for file in files for setting in file.settings]
        chosen = {setting.section: setting.value for setting in settings if self.present_name(setting) == AUTH_TYPE}
        named = {
            **{setting.value: "" for setting in settings if self.present_name(setting) == AUTH_SECTION},
            **{
                part.split(":")[0].strip(): like
                for option, like in self.named_by.items()
                for setting in settings
                if f"{setting.section}.{setting.name}" == option
                for part in setting.value.split(",")
            },
        }
        authenticated = {section for section, names in self.sections.items() if AUTH_TYPE in names}
        authenticated |= {fold(section) for section, like in named.items() if not like}
        added = [
            in_section(option, section)
            for section in sorted(authenticated)
            for option in self.plugin_options(chosen.get(section))
            if option.name not in self.sections.get(section, {})
        ]
        return Registry(
            self.service,
            replace(self.listed, options=(*self.listed.options, *added)),
            {**self.alike, **{section: like for section, like in named.items() if section and like}},
            self.named_by,
            self.removed,
        )

    def present_name(self, setting: Setting) -> str:
        """What the option of a setting is called now."""
        found = self.find(setting.section, setting.name)
        return found.options[0].name if found else setting.name

    def plugins_with(self, name: str) -> tuple[str, ...]:
        """The authentication plugins that have an option of this name."""
        return tuple(
            plugin for plugin, options in self.listed.plugins.items() if name in {option.name for option in options}
        )

    def plugin_options(self, plugin: str | None) -> tuple[Option, ...]:
        """The options of an authentication plugin; of all where none is chosen, or one that is not known."""
        known = self.listed.plugins.get(plugin or "")
        if known is not None:
            return known
        by_name = {option.name: option for options in self.listed.plugins.values() for option in options}
        return tuple(by_name.values())


def in_section(option: Option, section: str) -> Option:
    """The same option in another section, and its old names that were in its own as well."""
    old = tuple(
        Deprecated(section, name.name) if name.section == option.section else name for name in option.deprecated
    )
    return replace(option, section=section, deprecated=old)


def qualified(section: str, name: str) -> str:
    """An option as people write it: `[libvirt] virt_type`."""
    return f"[{section or DEFAULT}] {name}"
