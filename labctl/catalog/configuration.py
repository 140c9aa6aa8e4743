"""What the catalog says of services' configuration: config-templates/SERVICE/options.yaml and libraries.yaml."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from labctl.catalog.folders import CatalogFolders
from labctl.catalog.yaml_model import read_yaml_model
from labctl.errors import BadInput

OPTIONS_FILE = "options.yaml"
LIBRARIES_FILE = "libraries.yaml"


class OptionsFile(BaseModel):
    """The schema of options.yaml: where the options are listed that a service's files may have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    image: str
    """The image whose packages register them."""
    namespaces: tuple[str, ...]
    """Names of the entry points `oslo.config.opts`, as in the service's own configuration for oslo-config-generator."""
    unlisted: Mapping[str, tuple[str, ...]] = {}
    """Section to options (MODULE:ATTRIBUTE, a list or a function that returns one) that no namespace has."""
    alike: Mapping[str, str] = {}
    """Section that only the service's code names, to the section whose options it has."""
    named_by: Mapping[str, str] = {}
    """Option (SECTION.NAME) whose value names sections, to the section whose options those have."""
    removed: Mapping[str, str] = {}
    """Option (SECTION.NAME) of earlier releases that no namespace knows any more, to what is to be done instead."""
    files: tuple[str, ...] = ()
    """What packages and people call the service's files: names, or patterns such as `*_agent.ini`."""
    removed_files: Mapping[str, str] = {}
    """File of a program that earlier releases had, to what does its work now."""
    checks_tokens_where: str | None = None
    """The option (SECTION.NAME) whose presence tells that a file is of an API, which must know how to ask Keystone."""


class LibrariesFile(BaseModel):
    """The schema of libraries.yaml: what is the same for all services."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    removed: Mapping[str, str]
    """As in options.yaml, of the libraries that all services use."""


def load_libraries_file(folders: CatalogFolders) -> LibrariesFile:
    """Reads what the catalog says of the options of libraries.

    Raises:
        BadInput: The file is malformed.
    """
    return read_yaml_model(folders.config_templates / LIBRARIES_FILE, LibrariesFile)


def configured_services(folders: CatalogFolders) -> tuple[str, ...]:
    """The services that read files of oslo.config, which a lab file may add to."""
    return tuple(sorted(path.parent.name for path in folders.config_templates.glob(f"*/{OPTIONS_FILE}")))


def load_options_file(folders: CatalogFolders, service: str) -> OptionsFile:
    """Reads what the catalog says of one service.

    Raises:
        BadInput: There is no such service, or its file is malformed.
    """
    known = configured_services(folders)
    if service not in known:
        raise BadInput(f"There is no service {service!r} to configure.", remedy=f"One of: {', '.join(known)}.")
    return read_yaml_model(folders.config_templates / service / OPTIONS_FILE, OptionsFile)
