"""`labctl config`: what the services' configuration is, and whether added files are right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.bringup.drop_ins import Checked

config_app = typer.Typer(help="Show and check the configuration of a lab's services.", no_args_is_help=True)


@config_app.command()
def show(
    service: Annotated[
        str, typer.Argument(help="nova, nova@node1, l3-agent@net, or a service as `labctl status` lists them.")
    ],
    origin: Annotated[
        bool, typer.Option("--origin", help="Say where each value comes from, and what it overrides.")
    ] = False,
    show_all: Annotated[bool, typer.Option("--all", help="List what is not set, too: the defaults.")] = False,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Show passwords and keys.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON list.")] = False,
) -> None:
    """Show the values that a service has: its own files and the drop-ins, later ones over earlier ones."""
    from labctl.bringup.options import service_options
    from labctl.catalog.folders import catalog_folders
    from labctl.cli.lookup import config_services, find_lab, lab_file
    from labctl.configuration.ini import read_ini
    from labctl.configuration.origin import effective
    from labctl.configuration.reads import choose, reads_of
    from labctl.lab.secrets import read_secrets
    from labctl.render.compose import parse_fragment
    from labctl.ui import configuration

    state = find_lab(name)
    compose = parse_fragment(state.compose_file.name, state.compose_file.read_text())
    reads = choose(reads_of(compose["services"], config_services()), service)
    registry = service_options(catalog_folders(), lab_file(state).release, reads.configuration)
    files = [read_ini(path) for path in reads.files(state.rendered)]
    found = effective(files, registry, with_defaults=show_all)
    masked = configuration.Masking(read_secrets(state.secrets).values.values(), show=show_secrets)

    def name_of(path: Path) -> str:
        return str(path.relative_to(state.rendered))

    if as_json:
        say(configuration.as_json(found, masked, name_of))
    else:
        say(configuration.as_file(found, masked, name_of, origin=origin))


@config_app.command()
def check(
    files: Annotated[list[Path] | None, typer.Argument(help="Files of one service; --service says of which.")] = None,
    service: Annotated[str | None, typer.Option("--service", help="Whose files they are, such as nova.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A lab file: its drop-ins are checked.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="A lab: its drop-ins are checked.")] = None,
    release: Annotated[str | None, typer.Option("--release", help="The release; default: the lab file's.")] = None,
) -> None:
    """Check drop-ins against the options that the services register; `labctl up` does so before it touches anything."""
    from labctl.bringup.drop_ins import check_given, check_lab, refuse
    from labctl.catalog.folders import catalog_folders
    from labctl.cli.lookup import config_services, find_lab, lab_file
    from labctl.errors import BadInput
    from labctl.lab.file import LabFile, load_lab_file, with_values

    if files and (file or name):
        raise BadInput("Give files, or a lab, not both.")
    if bool(files) != bool(service):
        raise BadInput("Files and --service belong together.", remedy="labctl config check --service nova FILE ...")
    checked: Checked
    if files and service:
        checked = check_given(catalog_folders(), release or LabFile().release, service, tuple(files))
    else:
        lab = load_lab_file(file, config_services()) if file else lab_file(find_lab(name))
        checked = check_lab(catalog_folders(), with_values(lab, release=release) if release else lab)
    for finding in checked.findings:
        if not finding.is_error:
            say(finding.line, err=True)
    refuse(checked.findings)
    say(f"{checked.files} file(s) checked against {', '.join(checked.against) or 'nothing'}: no mistake.")
