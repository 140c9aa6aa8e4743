"""What the files of a cloud say: whose each is, every value by its present name, and the endpoints."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from labctl.configuration.check import Finding as Mistake
from labctl.configuration.check import Kind, check_files
from labctl.configuration.ini import DEFAULT, IniFile, Setting, fold
from labctl.configuration.options import AUTH_TYPE, Registry
from labctl.doctor.urls import host_of_url
from labctl.findings import Place
from labctl.lab.document import Position

_TRANSPORT_HOST = re.compile(
    r"(?:(?P<user>[^:@/,]*)(?::(?P<password>[^@/,]*))?@)?(?P<host>\[[^\]]+\]|[^:/,\[\]]+)(?::\d+)?"
)


@dataclass(frozen=True)
class ServiceFile:
    """One file of one host.

    Attributes:
        host: The host, as the folder is called; empty where the files are of one host.
        service: Whose it is, as the catalog calls it.
        file: What it says.
        removed: What does the work of its program now, where this release has no such program.
    """

    host: str
    service: str
    file: IniFile
    removed: str | None = None

    @cached_property
    def empty_sections(self) -> frozenset[Position]:
        """Sections that set nothing: sample files of older releases are full of those, and they do no harm."""
        filled = {setting.section for setting in self.file.settings}
        return frozenset(section.at for section in self.file.sections if fold(section.name) not in filled)


@dataclass(frozen=True)
class Login:
    """User, password and host out of a URL."""

    user: str
    password: str
    host: str


@dataclass(frozen=True)
class Value:
    """A value, and where it stands.

    Attributes:
        host: The host of the file.
        service: Whose file it is.
        section: Its section.
        name: What its option is called in this release.
        text: The value.
        place: Where the name is.
        value_place: Where the value begins.
    """

    host: str
    service: str
    section: str
    name: str
    text: str = field(repr=False)
    place: Place
    value_place: Place

    @property
    def option(self) -> str:
        """The option as people write it."""
        return f"[{self.section}] {self.name}"

    @property
    def logins(self) -> tuple[Login, ...]:
        """Users, passwords and hosts of a URL; those of oslo.messaging name one for each member of a cluster."""
        _, separator, rest = self.text.partition("://")
        if not separator:
            return ()
        authority = rest.partition("/")[0]
        found = (_TRANSPORT_HOST.fullmatch(part) for part in authority.split(","))
        return tuple(Login(one["user"] or "", one["password"] or "", one["host"].strip("[]")) for one in found if one)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The hosts that the value names: of a URL, or of a list of HOST or HOST:PORT."""
        if "://" in self.text:
            return tuple(login.host for login in self.logins)
        parts = (part.strip() for part in self.text.removeprefix("inet6:").split(","))
        return tuple(host for part in parts if (host := host_of_url(f"//{part}")) and "$" not in part)


@dataclass(frozen=True)
class Endpoint:
    """One line of the catalog of services.

    Attributes:
        type: The type of service, such as image.
        interface: public, internal or admin.
        region: The region.
        url: Where it is.
        place: Where that is written.
    """

    type: str
    interface: str
    region: str
    url: str
    place: Place

    @property
    def host(self) -> str:
        """The host of the URL."""
        return host_of_url(self.url)


@dataclass(frozen=True)
class ConfigurationFacts:
    """Everything that the files say.

    Attributes:
        files: The files.
        registries: Service to its options.
        tells_api: Service to the option (SECTION.NAME) that tells that a file is of an API.
        endpoints: The catalog of services, where it is beside the files.
    """

    files: tuple[ServiceFile, ...]
    registries: Mapping[str, Registry]
    tells_api: Mapping[str, str] = field(default_factory=dict)
    endpoints: tuple[Endpoint, ...] = ()

    @cached_property
    def values(self) -> tuple[Value, ...]:
        """All values, in the order of the files."""
        return tuple(value for one in self.files for value in _values(one, self.registries[one.service]))

    @cached_property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What is wrong with each file by itself, as `labctl config check` finds it."""
        return tuple(
            mistake
            for one in self.files
            if not one.removed
            for mistake in check_files([one.file], self.registries[one.service], self._beside(one))
            if not (mistake.kind is Kind.UNKNOWN_SECTION and mistake.at in one.empty_sections)
        )

    def _beside(self, one: ServiceFile) -> list[IniFile]:
        """The files of the same service and host: one may name sections that another one fills in."""
        return [other.file for other in self.files if (other.host, other.service) == (one.host, one.service)]

    @cached_property
    def host_names(self) -> frozenset[str]:
        """The names of the hosts whose files these are."""
        return frozenset(one.host for one in self.files if one.host)

    def named(self, *names: str) -> tuple[Value, ...]:
        """The values of the options of these names, whatever their section."""
        return tuple(value for value in self.values if value.name in names)

    def of_file(self, one: ServiceFile) -> Mapping[str, Value]:
        """The values of one file: SECTION.NAME to the last one, which counts."""
        return self._by_path.get(str(one.file.path), {})

    @cached_property
    def _by_path(self) -> Mapping[str, Mapping[str, Value]]:
        found: dict[str, dict[str, Value]] = {}
        for value in self.values:
            found.setdefault(value.place.path, {})[f"{value.section}.{value.name}"] = value
        return found

    @cached_property
    def auth_types(self) -> frozenset[Place]:
        """Where authentication plugins are named."""
        return frozenset(value.value_place for value in self.values if value.name == AUTH_TYPE)


def _values(one: ServiceFile, registry: Registry) -> Iterator[Value]:
    known = registry.for_files([one.file])
    path = str(one.file.path)
    for setting in one.file.settings:
        section, name = _present(setting, known)
        yield Value(
            host=one.host,
            service=one.service,
            section=section,
            name=name,
            text=setting.value,
            place=Place(path, setting.at.line, setting.at.column),
            value_place=Place(path, setting.value_at.line, setting.value_at.column),
        )


def _present(setting: Setting, registry: Registry) -> tuple[str, str]:
    """Section and name of this release; what is outside of any section was meant for the first."""
    section = setting.section or DEFAULT
    found = registry.find(section, setting.name)
    return (found.options[0].section, found.options[0].name) if found else (section, setting.name)
