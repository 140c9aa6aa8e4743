"""`labctl snapshot`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui import Progress
from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.lab.state import LabState

snapshot_app = typer.Typer(help="Snapshots of a lab.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")]
Shown = Annotated[Progress, typer.Option("--progress", help="How progress is shown.")]
Snapshot = Annotated[str, typer.Argument(help="The snapshot.", metavar="SNAPSHOT")]

MB = 10**6
HEADINGS = ("snapshot", "made", "nodes", "range", "MB")


@snapshot_app.command()
def create(snapshot: Snapshot, name: Name = None, progress: Shown = Progress.AUTO) -> None:
    """Take a snapshot: database, broker, keys, images, servers with their disks; the lab stands still meanwhile."""
    from labctl.cli.lookup import docker_engine, find_lab, lab_file
    from labctl.snapshot.create import create as work
    from labctl.snapshot.manifest import parse_snapshot_name
    from labctl.ui import listener

    lab = lab_file(find_lab(name))
    parse_snapshot_name(snapshot)
    with docker_engine() as client, listener(progress, sys.stderr) as emit:
        made = work(client, lab, snapshot, emit)
    if progress is not Progress.JSON:
        say(f"The lab {lab.name!r} has the snapshot {snapshot!r}: {made.size // MB} MB.", err=True)


@snapshot_app.command("list")
def list_(name: Name = None, as_json: Annotated[bool, typer.Option("--json", help="As a JSON list.")] = False) -> None:
    """List the snapshots of a lab, the oldest first."""
    import json

    from labctl.snapshot.store import find_manifests
    from labctl.ui.table import table

    found = find_manifests(known(name))
    if as_json:
        keep = {"name", "made", "labctl", "lab", "images", "volumes"}
        say(json.dumps([one.model_dump(mode="json", include=keep) for one in found]))
        return
    rows = [
        (one.name, f"{one.made:%F %T}", str(len(one.lab.nodes)), str(one.lab.address_range), str(one.size // MB))
        for one in found
    ]
    say(table([HEADINGS, *rows]))


@snapshot_app.command()
def restore(
    snapshot: Snapshot,
    name: Name = None,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Also with other images than made it.")] = False,
    progress: Shown = Progress.AUTO,
) -> None:
    """Make the lab what it was when the snapshot was taken, and bring it up; what it holds now is lost."""
    import time

    from labctl.catalog.folders import catalog_folders
    from labctl.cli.lookup import docker_engine
    from labctl.snapshot.restore import restore as work
    from labctl.ui import listener

    begin = time.monotonic()
    lab = known(name).name
    with docker_engine() as client, listener(progress, sys.stderr) as emit:
        work(client, catalog_folders(), lab, snapshot, emit, upgrade=upgrade)
    if progress is not Progress.JSON:
        seconds = time.monotonic() - begin
        say(f"The lab {lab!r} is what it was in {snapshot!r}, ready after {seconds:.1f} s.", err=True)


@snapshot_app.command()
def delete(snapshot: Snapshot, name: Name = None) -> None:
    """Delete a snapshot."""
    from labctl.cli.lookup import docker_engine
    from labctl.engine.lab_lock import lab_lock
    from labctl.snapshot.store import delete as work
    from labctl.ui import listener

    state = known(name)
    with docker_engine() as client, listener(Progress.AUTO, sys.stderr) as emit, lab_lock(client, state.name, emit):
        work(client, state, snapshot)
    say(f"The snapshot {snapshot!r} of the lab {state.name!r} is gone.", err=True)


@snapshot_app.command()
def export(
    snapshot: Snapshot,
    file: Annotated[Path, typer.Argument(help="The file to write; it holds the lab's secrets.")],
    name: Name = None,
    progress: Shown = Progress.AUTO,
) -> None:
    """Write a snapshot into one file, for another machine."""
    from labctl.cli.lookup import docker_engine
    from labctl.snapshot.package import export as work
    from labctl.snapshot.store import find_manifest
    from labctl.ui import listener

    state = known(name)
    image = helper_image(find_manifest(state, snapshot).lab.release)
    with docker_engine() as client, listener(progress, sys.stderr) as emit:
        size = work(client, image, state.name, snapshot, file, emit)
    if progress is not Progress.JSON:
        say(f"{file}: {size // MB} MB, with the lab's secrets.", err=True)


@snapshot_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="A file of `labctl snapshot export`.")],
    progress: Shown = Progress.AUTO,
) -> None:
    """Take a snapshot out of a file; `labctl snapshot restore` then makes the lab, also where there was none."""
    from labctl.cli.lookup import docker_engine
    from labctl.snapshot.package import import_ as work
    from labctl.ui import listener

    with docker_engine() as client, listener(progress, sys.stderr) as emit:
        made = work(client, helper_image, file, emit)
    if progress is not Progress.JSON:
        say(f"`labctl snapshot restore --name {made.lab.name} {made.name}` brings it up.", err=True)


def known(name: str | None) -> "LabState":
    """The lab that is meant: also one of which there are snapshots only.

    Raises:
        NotFound: There is none, or there are several and none is named.
    """
    from labctl.cli.lookup import choose_lab
    from labctl.lab.state import LabState, state_folders

    return LabState(choose_lab(name, [state.name for state in state_folders()]))


def helper_image(release: str) -> str:
    """The image whose programs copy: one that every lab runs."""
    from labctl.bringup.up import runtime_references
    from labctl.catalog.folders import catalog_folders

    return runtime_references(catalog_folders(), release)["libvirt"]
