"""`labctl dev`: a service from a source tree."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui.printable import say

if TYPE_CHECKING:
    import docker

    from labctl.bringup.develop import Tree
    from labctl.events import Emit
    from labctl.lab.file import LabFile
    from labctl.lab.sources import Projects


def dev(
    service: Annotated[str, typer.Argument(help="A service (nova-api), or a project (nova): all of its services.")],
    src: Annotated[Path | None, typer.Option("--src", help="The source tree; default: the one it runs from.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Run what the image holds again.")] = False,
    no_watch: Annotated[bool, typer.Option("--no-watch", help="End when it is healthy; restart nothing.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
) -> None:
    """Run a service from a source tree, show its log, and restart it when the tree changes; Ctrl-C ends the watch."""
    from labctl.bringup.develop import Tree
    from labctl.cli.lookup import docker_engine, find_lab, lab_file
    from labctl.errors import BadInput, BringUpFailed
    from labctl.lab.file import with_values
    from labctl.ui import Progress, listener

    state = find_lab(name)
    lab = lab_file(state)
    known = known_projects(lab)
    services = known.called(service)
    if src and stop:
        raise BadInput("--src and --stop are opposites.", remedy="Give one of them.")
    with docker_engine() as client, listener(Progress.PLAIN, sys.stderr) as emit:
        if stop:
            bring_up_with(client, with_values(lab, sources=known.stopped(lab.sources, service)), emit)
            say(f"{', '.join(sorted(services))}: from the image.", err=True)
            return
        tree = Tree(next(known.of[one] for one in services), chosen_tree(known, lab, services, service, src))
        wanted = with_values(lab, sources=known.started(lab.sources, service, tree.path))
        try:
            bring_up_with(client, wanted, emit)
        except BringUpFailed as error:
            if no_watch:
                raise
            say_that_it_goes_on(error)
        option = "" if name is None else f" --name {name}"
        say(f"{', '.join(sorted(services))}: from {tree.path}.", err=True)
        if not no_watch:
            watch(client, wanted, tree, services, emit)
    say(f"`labctl dev{option} {service} --stop` returns to the image.", err=True)


def chosen_tree(known: "Projects", lab: "LabFile", services: frozenset[str], service: str, src: Path | None) -> Path:
    """The tree that is meant: the one that is named, or the one that the services run from.

    Raises:
        BadInput: None is named, and they run from none or from several.
    """
    from labctl.bringup.source import check_tree
    from labctl.errors import BadInput

    if src:
        tree = src.expanduser().resolve()
        check_tree(tree, next(known.of[one] for one in services))
        return tree
    chosen = known.spread(lab.sources)
    trees = {chosen.get(one) for one in services}
    only = trees.pop()
    if only is None or trees:
        raise BadInput(f"Which source tree shall {service} run from?", remedy="Name it: `--src PATH`.")
    return only


def known_projects(lab: "LabFile") -> "Projects":
    """What of a lab can run from a source tree."""
    from labctl.bringup.source import projects
    from labctl.bringup.up import runtime_references, somewhere
    from labctl.catalog.folders import catalog_folders
    from labctl.lab.state import LabState

    folders = catalog_folders()
    return projects(folders, somewhere(LabState(lab.name), lab, runtime_references(folders, lab.release, lab.profiles)))


def bring_up_with(client: "docker.DockerClient", wanted: "LabFile", emit: "Emit") -> None:
    """Makes the lab what is wanted now; the containers that it does not concern are not touched."""
    from labctl.bringup.develop import brief
    from labctl.bringup.up import bring_up
    from labctl.catalog.folders import catalog_folders

    bring_up(client, catalog_folders(), wanted, brief(emit))


def watch(client: "docker.DockerClient", lab: "LabFile", tree: "Tree", services: frozenset[str], emit: "Emit") -> None:
    """Shows the services' logs and restarts them at each change, until Ctrl-C."""
    from contextlib import suppress
    from datetime import UTC, datetime

    from labctl.bringup.develop import changes, develop, only
    from labctl.engine.logs import followed

    prefix = f"{lab.name}-"

    def show(container: str, line: str) -> None:
        say(f"{container.removeprefix(prefix)} | {line}" if len(services) > 1 else line)

    say("Watching; Ctrl-C ends the watch and leaves everything running.", err=True)
    containers = [f"{prefix}{service}" for service in sorted(services)]
    with suppress(KeyboardInterrupt), followed(client, containers, datetime.now(UTC), show):
        develop(
            client,
            lab.name,
            tree,
            services,
            emit,
            seen=changes(tree),
            install=lambda: bring_up_with(client, lab, only(frozenset(), emit)),
        )


def say_that_it_goes_on(error: Exception) -> None:
    """Shows an error that the developer can mend while the tree is watched."""
    from rich.console import Console

    from labctl.errors import LabctlError
    from labctl.ui.errors import show_error

    assert isinstance(error, LabctlError)  # noqa: S101
    show_error(error, Console(stderr=True))
