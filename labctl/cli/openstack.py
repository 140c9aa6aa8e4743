"""`labctl openstack`: the openstack client in its container."""

import sys
from typing import Annotated

import typer

AUTHORITY = "/etc/ssl/lab.pem"
"""Where the certificate of the lab's authority is, inside the container."""


def openstack(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(help="What the openstack client takes; `--name LAB` and `--admin` before it are labctl's."),
    ] = None,
) -> None:
    """Run the openstack client against a lab: as admin, with this folder mounted at the same place."""
    from pathlib import Path

    from labctl.bringup.prepare import service_uid
    from labctl.bringup.up import runtime_references
    from labctl.catalog.folders import catalog_folders
    from labctl.cli.lookup import find_lab, lab_file, refuse_anothers
    from labctl.engine.labels import LAB_LABEL
    from labctl.engine.process import interactive
    from labctl.engine.short_lived import docker_run

    name, rest = own_options(arguments or [])
    state = find_lab(name)
    refuse_anothers(state.name)
    lab = lab_file(state)
    reference = runtime_references(catalog_folders(), lab.release)["client"]
    here = Path.cwd()
    terminal = ["--interactive", *(["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else [])]
    # clouds.yaml names it below a folder that may be closed to the container's user; OS_CACERT counts more.
    trust = ["--volume", f"{state.ca_file}:{AUTHORITY}:ro", "--env", f"OS_CACERT={AUTHORITY}"] if lab.tls else []
    command = [
        *docker_run(*terminal, "--network", "host", "--label", f"{LAB_LABEL}={state.name}"),
        *("--user", f"{service_uid()}:0", "--cap-drop", "ALL", "--read-only"),
        *("--tmpfs", "/home", "--env", "HOME=/home"),
        *("--volume", f"{state.clouds_yaml}:/etc/openstack/clouds.yaml:ro", "--env", f"OS_CLOUD={state.name}-admin"),
        *trust,
        *("--volume", f"{here}:{here}", "--workdir", str(here), reference, "openstack", *rest),
    ]
    raise typer.Exit(interactive(command))


def own_options(arguments: list[str]) -> tuple[str | None, list[str]]:
    """Takes labctl's own `--name LAB` off the start of the arguments."""
    if len(arguments) >= 2 and arguments[0] == "--name":
        return arguments[1], arguments[2:]
    return None, arguments
