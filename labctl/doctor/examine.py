"""The examinations: facts are gathered, every check runs on them."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from labctl.catalog.folders import CatalogFolders
from labctl.configuration.options import Registry
from labctl.doctor.check import Check, Facts, examine
from labctl.doctor.checks import CONFIGURATION, LAB, MACHINE
from labctl.doctor.configuration.gather import gather_configuration
from labctl.doctor.lab.gather import gather_lab
from labctl.doctor.machine.gather import gather_machine
from labctl.engine.containers import service_states
from labctl.errors import LabctlError
from labctl.findings import Report, together
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
    return Report(examine(CONFIGURATION, facts), ids(CONFIGURATION), (looked_at,))


def examine_machine(folders: CatalogFolders, client: "docker.DockerClient | LabctlError", lab: LabFile) -> Report:
    """Checks the machine for a lab, and the lab where it is up.

    Args:
        folders: The catalog.
        client: The engine, or why there is none.
        lab: The lab.
    """
    with ThreadPoolExecutor(1) as pool:
        # Both mostly wait for others.
        of_lab = None
        if not isinstance(client, LabctlError) and service_states(client, lab.name):
            of_lab = pool.submit(examine_lab, folders, client, lab)
        machine, left_out = gather_machine(folders, client, lab)
    looked_at = f"the machine for {lab.name!r} ({machine.nodes} node(s))"
    report = Report(examine(MACHINE, machine), ids(MACHINE), (looked_at,), left_out)
    return together([report, of_lab.result()]) if of_lab else report


def examine_lab(folders: CatalogFolders, client: "docker.DockerClient", lab: LabFile) -> Report:
    """Checks a lab that is up, and nothing else."""
    facts, left_out = gather_lab(folders, client, lab)
    return Report(examine(LAB, facts), ids(LAB), (f"the lab {lab.name!r}",), left_out)


def ids(checks: Sequence[Check[Facts]]) -> tuple[str, ...]:
    """The ids of checks."""
    return tuple(one.id for one in checks)
