"""`labctl lock`."""

import sys
from typing import Annotated

import typer

from labctl.cli.build import RELEASE
from labctl.ui import Progress
from labctl.ui.printable import say


def lock(
    images: Annotated[
        list[str] | None, typer.Argument(help="Images; the locks of others stay as they are. Default: all.")
    ] = None,
    release: Annotated[str, typer.Option("--release", help="The OpenStack release.")] = RELEASE,
    constraints: Annotated[
        str | None, typer.Option("--constraints", help="OpenStack's upper constraints: a file or an address.")
    ] = None,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Resolve what the images install, with hashes, and write the locks into the catalog."""
    from labctl.build.images import chosen
    from labctl.build.lock import lock_images, lock_release
    from labctl.catalog.folders import catalog_folders
    from labctl.catalog.image import load_images
    from labctl.catalog.release import load_release
    from labctl.ui import listener

    folders = catalog_folders()
    with listener(progress, sys.stderr) as emit:
        found = load_release(folders, release)
        graph = load_images(folders)
        if images:
            written = lock_images(folders, graph, found, chosen(graph, images), emit, constraints)
        else:
            written = lock_release(folders, graph, found, emit, constraints)
    if progress is not Progress.JSON:
        say(f"{len(written)} locks are written to {folders.locks / release}.", err=True)
