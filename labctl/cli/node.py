"""`labctl node list`, `add`, `remove` and `drain`."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from labctl.ui import Progress
from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.cloud.nodes.view import ComputeNode

node_app = typer.Typer(help="The compute nodes of a lab.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")]
Shown = Annotated[Progress, typer.Option("--progress", help="How progress is shown.")]

HEADINGS = ("node", "nova-compute", "agents", "servers", "vCPUs", "memory in MB")


@node_app.command("list")
def list_(
    name: Name = None,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON list.")] = False,
) -> None:
    """List the compute nodes: whether they work, what runs there, what is used."""
    import json

    from labctl.bringup.scale import admin_of
    from labctl.cli.lookup import find_lab, lab_file
    from labctl.cloud.nodes.view import fetch_nodes
    from labctl.ui.table import table

    state = find_lab(name)
    nodes = fetch_nodes(admin_of(state), lab_file(state).nodes)
    if as_json:
        say(json.dumps([as_object(node) for node in nodes]))
        return
    say(table([HEADINGS, *(row(node) for node in nodes)]))


@node_app.command()
def add(
    count: Annotated[int, typer.Argument(help="How many.", min=1)] = 1,
    name: Name = None,
    progress: Shown = Progress.AUTO,
) -> None:
    """Add nodes, with the lowest free numbers; returns when they can take servers."""
    from labctl.cli.scale import change, lab_of
    from labctl.lab.nodes import with_count

    lab = lab_of(name)
    change(lab, with_count(lab.nodes, len(lab.nodes) + count), progress, force=False)


@node_app.command()
def remove(
    node: Annotated[list[str], typer.Argument(help="The node, or several.", metavar="NODE...")],
    name: Name = None,
    force: Annotated[bool, typer.Option("--force", help="Delete the servers that cannot be moved.")] = False,
    progress: Shown = Progress.AUTO,
) -> None:
    """Remove nodes: their servers move to others first, then all that there is of the nodes goes."""
    from labctl.bringup.scale import without
    from labctl.cli.scale import change, lab_of

    lab = lab_of(name)
    change(lab, without(lab, node), progress, force=force)


@node_app.command()
def drain(
    node: Annotated[str, typer.Argument(help="The node.", metavar="NODE")],
    name: Name = None,
    undo: Annotated[bool, typer.Option("--undo", help="Let new servers onto it again.")] = False,
    progress: Shown = Progress.AUTO,
) -> None:
    """Move all servers of a node to others, and let no new ones onto it."""
    from labctl.bringup.scale import drain_node, known_node, undo_drain
    from labctl.cli.lookup import docker_engine
    from labctl.cli.scale import lab_of
    from labctl.ui import listener

    lab = lab_of(name)
    known_node(lab, node)
    with docker_engine() as client, listener(progress, sys.stderr) as emit:
        if undo:
            was_out = undo_drain(client, lab, node, emit)
            said = f"{node} takes new servers again." if was_out else f"{node} was not out of service."
        else:
            drain_node(client, lab, node, emit)
            said = f"{node} is empty and takes no new servers; `labctl node drain {node} --undo` lets them in again."
    if progress is not Progress.JSON:
        say(said, err=True)


def row(node: "ComputeNode") -> tuple[str, ...]:
    """A node as a line of the table."""
    service = node.state if node.status != "disabled" else f"{node.state}, disabled: {node.reason or 'no reason given'}"
    agents = ", ".join(f"{binary} is {'alive' if alive else 'dead'}" for binary, alive in node.agents.items())
    used = [
        f"{usage.used} of {usage.capacity}" if (usage := node.usage.get(resource)) else "none"
        for resource in ("VCPU", "MEMORY_MB")
    ]
    return node.name, service, agents or "none", str(len(node.guests)), *used


def as_object(node: "ComputeNode") -> dict[str, Any]:
    """A node as a JSON object."""
    return {
        "name": node.name,
        "state": node.state,
        "status": node.status,
        "reason": node.reason,
        "agents": dict(node.agents),
        "servers": [{"id": one.id, "name": one.name, "status": one.status} for one in node.guests],
        "usage": {key: {"used": one.used, "capacity": one.capacity} for key, one in node.usage.items()},
    }
