"""`labctl lock`."""

import sys
from typing import Annotated

import typer

from labctl.cli.build import RELEASE
from labctl.ui import Progress


def lock(
    release: Annotated[str, typer.Option("--release", help="The OpenStack release.")] = RELEASE,
    constraints: Annotated[
        str | None, typer.Option("--constraints", help="OpenStack's upper constraints: a file or an address.")
    ] = None,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Resolve what the images install, with hashes, and write the locks into the catalog."""
    from labctl.build.lock import lock_release
    from labctl.catalog.folders import catalog_folders
    from labctl.catalog.image import load_images
    from labctl.catalog.release import load_release
    from labctl.ui import listener

    folders = catalog_folders()
    with listener(progress, sys.stderr) as emit:
        found = load_release(folders, release)
        written = lock_release(folders, load_images(folders), found, emit, constraints)
    if progress is not Progress.JSON:
        typer.echo(f"{len(written)} locks are written to {folders.locks / release}.", err=True)
