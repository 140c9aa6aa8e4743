"""`labctl doctor`: what is wrong, why it matters and what to do, all at once."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from labctl.findings import Report


def doctor(
    config: Annotated[Path, typer.Option("--config", help="A folder of configuration files, anybody's: check these.")],
    release: Annotated[str | None, typer.Option("--release", help="The release that --config is checked for.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Find what is wrong; ends with exit code 9 where something does not work."""
    from rich.console import Console

    from labctl.errors import FINDINGS
    from labctl.ui.doctor import as_json as report_as_json
    from labctl.ui.doctor import show_report

    report = examine_configuration(config, release)
    if as_json:
        typer.echo(report_as_json(report))
    else:
        show_report(report, Console())
    if report.errors:
        raise typer.Exit(FINDINGS)


def examine_configuration(root: Path, release: str | None) -> "Report":
    """Checks somebody's folder of configuration files."""
    from labctl.bringup.options import service_options
    from labctl.catalog.folders import catalog_folders
    from labctl.catalog.release import load_release
    from labctl.doctor.examine import examine_configuration
    from labctl.lab.file import LabFile

    folders = catalog_folders()
    wanted = load_release(folders, release or LabFile().release).name
    return examine_configuration(folders, root, lambda service: service_options(folders, wanted, service))
