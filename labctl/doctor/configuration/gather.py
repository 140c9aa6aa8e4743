"""Reads somebody's folder of configuration files: which file is of which host and service, and the endpoints."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from fnmatch import fnmatch
from itertools import islice
from pathlib import Path

from labctl.catalog.configuration import OptionsFile, configured_services, load_options_file
from labctl.catalog.folders import CatalogFolders
from labctl.configuration.ini import IniFile, read_ini
from labctl.configuration.options import Registry
from labctl.doctor.configuration.endpoints import ENDPOINT_FILES, read_endpoints
from labctl.doctor.configuration.facts import ConfigurationFacts, ServiceFile
from labctl.errors import BadInput
from labctl.files import is_folder

MOST_PATHS = 10_000
MOST_FILES = 1000
"""Of services; ten hosts of a cloud with every service have two hundred."""


def gather_configuration(
    folders: CatalogFolders, root: Path, options_of: Callable[[str], Registry]
) -> ConfigurationFacts:
    """Reads every file of a folder that a service of the catalog has.

    Args:
        folders: The catalog.
        root: The folder: one folder in it for each host, or the files of one host.
        options_of: Tells the options of a service.

    Raises:
        BadInput: There is no such folder, none of the files is known, or one cannot be read.
    """
    if not is_folder(root):
        raise BadInput(f"There is no folder {root}.", remedy="Give the folder that holds the configuration files.")
    catalog = {service: load_options_file(folders, service) for service in configured_services(folders)}
    paths = _paths(root)
    read = (one for path in paths if (one := _service_file(path, root, catalog)))
    files = tuple(islice(read, MOST_FILES + 1))
    if len(files) > MOST_FILES:
        raise BadInput(f"{root} holds more than {MOST_FILES} configuration files.", remedy="Check them host by host.")
    if not files:
        names = sorted({name for known in catalog.values() for name in known.files})
        raise BadInput(
            f"{root} holds no configuration file of a service that labctl knows.",
            evidence=[f"known: {', '.join(names)}"],
            remedy="Put the files into one folder for each host, such as controller/nova.conf.",
        )
    used = {one.service for one in files}
    return ConfigurationFacts(
        files,
        {service: options_of(service) for service in sorted(used)},
        {service: known.checks_tokens_where for service, known in catalog.items() if known.checks_tokens_where},
        tuple(endpoint for path in paths if path.name in ENDPOINT_FILES for endpoint in read_endpoints(path, root)),
    )


def _paths(root: Path) -> list[Path]:
    """Everything below a folder that is no folder: what is no file either is refused where it is read.

    Raises:
        BadInput: There is more than anybody means.
    """
    found = list(islice(root.rglob("*"), MOST_PATHS + 1))
    if len(found) > MOST_PATHS:
        raise BadInput(f"{root} holds more than {MOST_PATHS} files.", remedy="Give the folder of the configuration.")
    return sorted(path for path in found if not path.is_dir())


def _service_file(path: Path, root: Path, catalog: Mapping[str, OptionsFile]) -> ServiceFile | None:
    """Takes a file for that of a service by its name, or by that of its drop-in folder, such as nova.conf.d."""
    name = path.parent.name.removesuffix(".d") if path.suffix == ".conf" and path.parent.suffix == ".d" else path.name
    for service, known in catalog.items():
        removed = known.removed_files.get(name)
        if removed or any(fnmatch(name, pattern) for pattern in known.files):
            host = host_of(path.relative_to(root).parent.parts, catalog)
            return ServiceFile(host, service, _named(path, root), removed)
    return None


def _named(path: Path, root: Path) -> IniFile:
    """Reads a file that people shall see named as in their folder."""
    return replace(read_ini(path), path=path.relative_to(root))


def host_of(folders: tuple[str, ...], services: Collection[str]) -> str:
    """The host that a file is of: the first folder, unless that is one of every host's, such as etc or nova."""
    below = folders[1:] if folders[:1] == ("etc",) else folders
    return below[0] if below and below[0] not in services and not below[0].endswith(".d") else ""
