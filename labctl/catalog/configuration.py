"""What the catalog says of a service's configuration: config-templates/SERVICE/options.yaml."""

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from labctl.catalog.folders import CatalogFolders
from labctl.catalog.yaml_model import read_yaml_model
from labctl.errors import BadInput

OPTIONS_FILE = "options.yaml"


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
