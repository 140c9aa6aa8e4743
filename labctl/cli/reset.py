"""`labctl reset`."""

import sys
from typing import Annotated

import typer

from labctl.ui import Progress
from labctl.ui.printable import say


def reset(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Make a lab empty again, as it was just after `up`; addresses, secrets and snapshots stay."""
    import time

    from labctl.catalog.folders import catalog_folders
    from labctl.cli.lookup import docker_engine, find_lab, lab_file
    from labctl.snapshot.reset import reset as work
    from labctl.ui import listener

    begin = time.monotonic()
    lab = lab_file(find_lab(name))
    with docker_engine() as client, listener(progress, sys.stderr) as emit:
        work(client, catalog_folders(), lab, emit)
    if progress is not Progress.JSON:
        say(f"The lab {lab.name!r} is empty and ready after {time.monotonic() - begin:.1f} s.", err=True)
