"""`labctl doctor`: what is wrong, why it matters and what to do, all at once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.findings import Report
    from labctl.lab.file import LabFile


def doctor(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    nodes: Annotated[int | None, typer.Option("--nodes", help="Compute nodes of a lab that is not there yet.")] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="A folder of configuration files, anybody's: check these instead.")
    ] = None,
    release: Annotated[str | None, typer.Option("--release", help="The release that --config is checked for.")] = None,
    fix: Annotated[
        bool, typer.Option("--fix", help="Mend what is safe to mend, as it said without --fix, and look again.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Find what is wrong with the machine, a lab or configuration files; exit code 9 where something does not work."""
    from rich.console import Console

    from labctl.cli.lookup import refuse_anothers
    from labctl.errors import FINDINGS
    from labctl.ui.doctor import as_json as report_as_json
    from labctl.ui.doctor import show_report

    if fix and not config:
        refuse_anothers(meant_lab(name, nodes).name)
    report = configuration_report(config, release) if config else machine_report(name, nodes)
    if fix and report.fixes:
        mend(report)
        report = machine_report(name, nodes)
    if as_json:
        say(report_as_json(report))
    else:
        show_report(report, Console())
    if report.errors:
        raise typer.Exit(FINDINGS)


def mend(report: "Report") -> None:
    """Runs the fixes and says what came of each."""
    from labctl.doctor.fix import apply

    for applied in apply(report.fixes):
        say(f"{applied.fix.what}: {applied.refusal or 'done'}", err=True)


def configuration_report(root: Path, release: str | None) -> "Report":
    """Checks somebody's folder of configuration files."""
    from labctl.bringup.options import service_options
    from labctl.catalog.folders import catalog_folders
    from labctl.catalog.release import load_release
    from labctl.doctor.examine import examine_configuration
    from labctl.lab.file import LabFile

    folders = catalog_folders()
    wanted = load_release(folders, release or LabFile().release).name
    return examine_configuration(folders, root, lambda service: service_options(folders, wanted, service))


def machine_report(name: str | None, nodes: int | None) -> "Report":
    """Checks the machine for a lab: the one that is there, or one that is not there yet."""
    from labctl.catalog.folders import catalog_folders
    from labctl.doctor.examine import examine_machine
    from labctl.engine.client import engine
    from labctl.errors import EngineUnavailable

    lab = meant_lab(name, nodes)
    try:
        client = engine()
    except EngineUnavailable as error:
        return examine_machine(catalog_folders(), error, lab)
    try:
        return examine_machine(catalog_folders(), client, lab)
    finally:
        client.close()


def meant_lab(name: str | None, nodes: int | None) -> "LabFile":
    """The lab of that name, the only one there is, or one as `up` would make it.

    Raises:
        NotFound: There are several, and none is named.
        BadInput: A flag is wrong.
    """
    from labctl.cli.lookup import find_lab, lab_file
    from labctl.lab.file import LabFile, with_values
    from labctl.lab.names import parse_lab_name
    from labctl.lab.nodes import with_count
    from labctl.lab.state import LabState, known_labs

    if name is None and known_labs():
        lab = lab_file(find_lab(None))
    else:
        state = LabState(parse_lab_name(name or "lab"))
        lab = lab_file(state) if state.exists else LabFile(name=state.name)
    return lab if nodes is None else with_values(lab, nodes=with_count(lab.nodes, nodes))
