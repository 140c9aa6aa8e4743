"""`labctl down`."""

import sys
from typing import Annotated

import typer

from labctl.ui import Progress
from labctl.ui.printable import say


def down(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    keep_data: Annotated[bool, typer.Option("--keep-data", help="Keep volumes, addresses and secrets.")] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="Also a lab of another user's.")] = False,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Remove a lab: nothing of it is left on the machine."""
    from labctl.bringup.down import take_down
    from labctl.cli.lookup import choose_lab, docker_engine
    from labctl.engine.remains import all_remains
    from labctl.errors import NotFound
    from labctl.lab.state import state_folders
    from labctl.ui import listener

    with docker_engine() as client:
        # A lab whose state folder is gone is still there for the engine. It may be another user's: it has to be named.
        on_engine = all_remains(client) if name else {}
        lab = choose_lab(name, {*on_engine, *(state.name for state in state_folders())})
        with listener(progress, sys.stderr) as emit:
            removed = take_down(client, lab, emit, keep_data=keep_data, adopt=adopt)
    if not removed.anything:
        raise NotFound(f"There was nothing of a lab {lab!r}.")
    if progress is not Progress.JSON:
        kept = "; its data is kept" if keep_data else ""
        say(
            f"The lab {lab!r} is gone: {removed.containers} containers, {removed.networks} networks, "
            f"{removed.volumes} volumes{kept}.",
            err=True,
        )
