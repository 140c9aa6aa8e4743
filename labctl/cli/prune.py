"""`labctl prune`."""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui import Progress
from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.bringup.debris import Debris
    from labctl.engine.inventory import CacheRecord, ImageSeen

MB = 10**6


def prune(
    everything: Annotated[bool, typer.Option("--all", help="Also the newest images, if no lab needs them.")] = False,
    volumes: Annotated[bool, typer.Option("--volumes", help="Also volumes of labs without a state folder.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and remove nothing.")] = False,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Remove unused images, build cache and what is left of labs that are gone; nothing that is not labctl's."""
    from labctl.bringup import prune as work
    from labctl.catalog.folders import catalog_folders
    from labctl.cli.lookup import docker_engine
    from labctl.ui import listener

    folders = catalog_folders()
    with docker_engine() as client:
        if dry_run:
            debris, _ = work.look(client, folders, everything=everything, volumes=volumes)
            say("\n".join(lines(debris)) or "There is nothing to remove.")
            return
        with listener(progress, sys.stderr) as emit:
            freed = work.prune(client, folders, emit, everything=everything, volumes=volumes)
    if progress is not Progress.JSON:
        say(f"{freed // MB} MB are free again.", err=True)


def lines(debris: "Debris") -> Iterator[str]:
    """What would go, for people, and how much that frees."""
    if debris.images:
        titles = Counter(title for image in debris.images for title in names_of(image))
        yield f"{len(debris.images)} images, {debris.image_bytes // MB} MB that no other image has:"
        yield from (f"  {title}" + (f" ({count})" if count > 1 else "") for title, count in sorted(titles.items()))
    if debris.records:
        yield f"{len(debris.records)} records of labctl's build cache, {total(debris.records)} MB that no image has"
    for name, there in debris.labs.items():
        yield f"lab {name}: {len(there.networks)} networks, {len(there.volumes)} volumes, its state folder"
    if debris.guests:
        yield f"{len(debris.guests)} guest images of older builds, or that no lab boots, in {debris.guests[0].parent}"
    for name in debris.kept_labs:
        yield f"stays: volumes of lab {name}, which has no state folder here; `--volumes` removes them"
    for name, owner in debris.others_labs.items():
        yield f"stays: what is left of lab {name}, which is {owner}'s; `labctl down --name {name} --adopt` removes it"
    if debris.others:
        others = f"{len(debris.others)} records of the build cache, {total(debris.others)} MB"
        yield f"stays: {others}, that are other people's or tell not whose; `docker buildx prune` removes these"


def names_of(image: "ImageSeen") -> tuple[str, ...]:
    """What an image is called; one that a newer build took the name of by its title."""
    return image.references or (f"{image.labels['org.opencontainers.image.title']}, replaced",)


def total(records: "Iterable[CacheRecord]") -> int:
    """MB of records."""
    return sum(record.own_bytes for record in records) // MB
