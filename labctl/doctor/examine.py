"""The examinations: facts are gathered, every check runs on them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from labctl.catalog.folders import CatalogFolders
from labctl.configuration.options import Registry
from labctl.doctor.check import examine
from labctl.doctor.checks import CONFIGURATION, MACHINE
from labctl.doctor.configuration.gather import gather_configuration
from labctl.doctor.machine.gather import gather_machine
from labctl.errors import LabctlError
from labctl.findings import Report
from labctl.lab.file import LabFile

if TYPE_CHECKING:
    import docker


def examine_configuration(folders: CatalogFolders, root: Path, options_of: Callable[[str], Registry]) -> Report:
    """Checks a folder of configuration files.

    Args:
        folders: The catalog.
        root: The folder.
        options_of: Tells the options of a service.

    Raises:
        BadInput: There is no such folder, or no file in it that is known.
    """
    facts = gather_configuration(folders, root, options_of)
    packages = ", ".join(registry.package for registry in facts.registries.values())
    hosts = f" of {len(facts.host_names)} hosts" if facts.host_names else ""
    looked_at = f"{len(facts.files)} files{hosts} against {packages}"
    return Report(examine(CONFIGURATION, facts), tuple(one.id for one in CONFIGURATION), (looked_at,))


def examine_machine(folders: CatalogFolders, client: "docker.DockerClient | LabctlError", lab: LabFile) -> Report:
    """Checks the machine for a lab.

    Args:
        folders: The catalog.
        client: The engine, or why there is none.
        lab: The lab, which may be up already.
    """
    facts, left_out = gather_machine(folders, client, lab)
    looked_at = f"the machine for the lab {lab.name!r} ({facts.nodes} node(s), {'up' if facts.is_up else 'not up'})"
    return Report(examine(MACHINE, facts), tuple(one.id for one in MACHINE), (looked_at,), left_out)
