"""Checks the drop-ins of a lab against the options of its services, before anything is touched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from labctl.bringup.options import service_options
from labctl.bringup.prepare import drop_in_paths, make_plan
from labctl.catalog.folders import CatalogFolders
from labctl.configuration.check import Finding, check_files
from labctl.configuration.ini import IniFile, parse_ini, read_ini
from labctl.errors import BadInput
from labctl.events import Emit, Note
from labctl.lab.addresses import CANDIDATES
from labctl.lab.file import LabFile, with_values
from labctl.lab.state import LabState
from labctl.render.lab import render_configuration


@dataclass(frozen=True)
class Checked:
    """What came of a check.

    Attributes:
        findings: What is wrong, in the order of the files.
        files: How many files were looked at.
        against: The options of whom: "nova 30.0.0", one for each service.
    """

    findings: tuple[Finding, ...]
    files: int
    against: tuple[str, ...]


def refuse_bad_drop_ins(folders: CatalogFolders, lab: LabFile, emit: Emit) -> None:
    """Refuses a lab whose drop-ins have mistakes; what is only worth a look is said.

    Raises:
        BadInput: There are mistakes, or a file cannot be read.
    """
    findings = check_lab(folders, lab).findings
    refuse(findings)
    for finding in findings:
        emit(Note(finding.line))


def refuse(findings: Sequence[Finding]) -> None:
    """Raises an error that names every mistake.

    Raises:
        BadInput: There are mistakes.
    """
    errors = [finding.line for finding in findings if finding.is_error]
    if errors:
        count = "a mistake" if len(errors) == 1 else f"{len(errors)} mistakes"
        raise BadInput(f"The configuration has {count}.", evidence=errors, remedy="Correct the files and try again.")


def check_lab(folders: CatalogFolders, lab: LabFile) -> Checked:
    """Checks every drop-in that a lab file names.

    Raises:
        BadInput: A file cannot be read, or an image is not built.
    """
    wanted = {service: drop_in_paths(paths) for service, paths in lab.configuration.items()}
    wanted = {service: paths for service, paths in wanted.items() if paths}
    if not wanted:
        return Checked((), 0, ())
    # Where the lab will be is not known yet, nor does it matter to what its own files say of sections and plugins.
    plan = make_plan(LabState(lab.name), with_values(lab, address_range=CANDIDATES[0], configuration={}), {}, "qemu")
    own = own_files(render_configuration(folders, plan))
    checked = [
        check_given(folders, lab.release, service, paths, own.get(service, ())) for service, paths in wanted.items()
    ]
    return Checked(
        tuple(finding for one in checked for finding in one.findings),
        sum(one.files for one in checked),
        tuple(package for one in checked for package in one.against),
    )


def check_given(
    folders: CatalogFolders, release: str, service: str, paths: Sequence[Path], before: Sequence[IniFile] = ()
) -> Checked:
    """Checks files of one service.

    Args:
        folders: The catalog.
        release: The release.
        service: Whose files they are.
        paths: The files, in the order in which they are read.
        before: Files that the service reads before them.

    Raises:
        BadInput: A file cannot be read, or the image is not built.
    """
    registry = service_options(folders, release, service)
    findings = check_files([read_ini(path) for path in paths], registry, before)
    return Checked(findings, len(paths), (registry.package,))


def own_files(rendered: Mapping[str, bytes]) -> dict[str, tuple[IniFile, ...]]:
    """Service to the files of oslo.config that are rendered for it, for the control plane and for all nodes."""
    found: dict[str, tuple[IniFile, ...]] = {}
    for name, content in sorted(rendered.items()):
        path = Path(name)
        if path.suffix in (".conf", ".ini"):
            file = parse_ini(path, content.decode())
            found[path.parent.name] = (*found.get(path.parent.name, ()), file)
    return found
