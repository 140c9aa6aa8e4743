"""`labctl stop` and `labctl start`."""

import sys
from typing import Annotated

import typer

from labctl.ui import Progress
from labctl.ui.printable import say


def stop(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    timeout: Annotated[int, typer.Option("--timeout", min=0, help="Seconds that servers may take to shut down.")] = 20,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Stop a lab and keep everything of it; `labctl start` or `up` brings it back, with the servers that ran."""
    from labctl.bringup.stop import stop_lab
    from labctl.cli.lookup import docker_engine, find_lab, lab_file
    from labctl.ui import listener

    lab = lab_file(find_lab(name))
    with docker_engine() as client, listener(progress, sys.stderr) as emit:
        stopped = stop_lab(client, lab, emit, timeout=timeout)
    if progress is not Progress.JSON:
        off = f", {stopped.switched_off} of them switched off after {timeout} s" if stopped.switched_off else ""
        say(
            f"The lab {lab.name!r} is stopped: {stopped.containers} containers, {stopped.guests} servers{off}; "
            f"`labctl start --name {lab.name}` brings it back.",
            err=True,
        )


def start(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Bring a stopped lab back: `up` of a lab that there is, as it is."""
    from labctl.cli.lookup import find_lab
    from labctl.cli.up import up

    up(name=find_lab(name).name, progress=progress)
