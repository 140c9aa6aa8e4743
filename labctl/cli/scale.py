"""`labctl scale`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui import Progress
from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.lab.file import LabFile


def scale(
    nodes: Annotated[int, typer.Option("--nodes", help="Compute nodes that the lab shall have, 1 to 64.")],
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Delete the servers that cannot be moved.")] = False,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Give a lab more or fewer nodes; those with the highest numbers go, and their servers move first."""
    from labctl.lab.nodes import with_count

    lab = lab_of(name)
    change(lab, with_count(lab.nodes, nodes), progress, force=force)


def lab_of(name: str | None) -> "LabFile":
    """The lab that is meant, as it is now."""
    from labctl.cli.lookup import find_lab, lab_file

    return lab_file(find_lab(name))


def change(lab: "LabFile", nodes: tuple[str, ...], progress: Progress, *, force: bool) -> None:
    """Gives a lab other nodes, and says what it has then."""
    from labctl.bringup.scale import change_nodes
    from labctl.catalog.folders import catalog_folders
    from labctl.cli.lookup import docker_engine
    from labctl.lab.file import with_values
    from labctl.ui import listener

    with docker_engine() as client, listener(progress, sys.stderr) as emit:
        result = change_nodes(client, catalog_folders(), with_values(lab, nodes=nodes), emit, force=force)
    if progress is not Progress.JSON:
        text = f"The lab {lab.name!r} has {len(nodes)} node(s): {', '.join(nodes)}; ready after {result.seconds:.1f} s."
        say(text, err=True)
