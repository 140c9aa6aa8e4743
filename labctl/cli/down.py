"""`labctl down`."""

import sys
from typing import Annotated

import typer

from labctl.ui import Progress


def down(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Keep volumes, addresses and secrets.")] = False,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Remove a lab: nothing of it is left on the machine."""
    from labctl.bringup.down import take_down
    from labctl.cli.lookup import docker_engine, find_lab
    from labctl.engine.containers import labs_on_engine
    from labctl.errors import NotFound
    from labctl.lab.names import parse_lab_name
    from labctl.ui import listener

    with docker_engine() as client:
        # A lab whose state folder is gone is still there for the engine, and goes by its label.
        on_engine = labs_on_engine(client)
        lab = parse_lab_name(name) if name in on_engine else find_lab(name).name
        with listener(progress, sys.stderr) as emit:
            removed = take_down(client, lab, emit, keep_data=keep_data)
    if not removed.anything:
        raise NotFound(f"There was nothing of a lab {lab!r}.")
    if progress is not Progress.JSON:
        kept = "; its data is kept" if keep_data else ""
        typer.echo(
            f"The lab {lab!r} is gone: {removed.containers} containers, {removed.networks} networks, "
            f"{removed.volumes} volumes{kept}.",
            err=True,
        )
