"""What nobody needs any more of what labctl made, and only that. Pure: `labctl.bringup.prune` looks and removes."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from labctl.engine.inventory import CacheRecord, ImageSeen, Inventory
from labctl.engine.labels import TITLE_LABEL, is_labctls
from labctl.engine.remains import Remains
from labctl.lab.owner import Owner, this_user

ROOTFS = "rootfs"
"""The one image of labctl's that carries no labels: it is imported, or a registry's under labctl's name."""

FIRST_STEP = "useradd --system --no-log-init --uid 64100 --gid 0"
"""From images/base/Dockerfile.j2. Every layer of labctl's is made on the result of this step; that tells them from
those of other people's builds, which the engine keeps in the same cache."""

CACHE_MOUNT = 'with id "/labctl-'
"""How BuildKit describes the cache mounts of images/macros.j2: apt's archives, pip's and uv's downloads."""

EXPORTED_GUEST = re.compile(r"[0-9a-f]{16}")
"""A folder of a guest image that was taken out of its image: the start of that image's digest."""

FETCHED_GUEST = re.compile(r"[0-9a-f]{8}|[0-9a-f]{12}")
"""A folder of a guest image that was fetched (`labctl.build.guest`); of eight digits where an older labctl did."""

_REFERENCE = re.compile(r"(?:.+/)?labctl/(?P<name>[a-z0-9-]+):[^/:]+")


@dataclass(frozen=True)
class Debris:
    """What can go.

    Attributes:
        images: Images that no lab uses.
        image_bytes: What their layers take that no other image has.
        records: Records of the build cache that are labctl's, each before those that it is made on.
        labs: Labs of which nothing is left but networks or a state folder, with what the engine has of them; those with
            volumes only where these may go.
        guests: Folders of guest images that are not the image's any more, and of fetched ones that no lab boots.
        kept_labs: Labs without a state folder that have volumes: they stay, as somebody's data may be in them.
        others: Records of the build cache of which nobody can tell whose they are.
        others_labs: Labs of other users of which nothing is left but networks or volumes: they stay, with their owners.
    """

    images: tuple[ImageSeen, ...] = ()
    image_bytes: int = 0
    records: tuple[CacheRecord, ...] = ()
    labs: Mapping[str, Remains] = field(default_factory=dict)
    guests: tuple[Path, ...] = ()
    kept_labs: tuple[str, ...] = ()
    others: tuple[CacheRecord, ...] = ()
    others_labs: Mapping[str, Owner] = field(default_factory=dict)


def find_debris(
    inventory: Inventory,
    remains: Mapping[str, Remains],
    folders: Collection[str],
    guests: Iterable[Path],
    needed: Collection[str],
    fetched: Collection[Path] = (),
    *,
    everything: bool = False,
    volumes: bool = False,
) -> Debris:
    """Decides what can go.

    Args:
        inventory: What the engine keeps.
        remains: What it has of labs, by name.
        folders: The labs that have a state folder.
        guests: What is in the cache folder of guest images.
        needed: References of the images that labs run, whether they are up or not.
        fetched: Folders of the guest images that labs boot and that were fetched.
        everything: Also the images that have a name, which the next `up` would find.
        volumes: Also labs that have volumes and no state folder.
    """
    gone = [name for name in sorted({*remains, *folders}) if is_gone(remains.get(name, Remains()), name in folders)]
    me = this_user()
    others = {name: owner for name in gone if (owner := remains.get(name, Remains()).owner) and owner != me}
    gone = [name for name in gone if name not in others]
    with_data = [name for name in gone if remains.get(name, Remains()).volumes]
    images = tuple(
        image
        for image in inventory.images
        if is_ours(image)
        and not image.containers
        and (everything or not image.references)
        and not set(image.references) & set(needed)
    )
    records = ours_of(inventory.records)
    staying = {image.id.removeprefix("sha256:")[:16] for image in inventory.images if image not in images}
    return Debris(
        images,
        bytes_without(images, [image for image in inventory.images if image not in images]),
        children_first([record for record in records if not record.in_use]),
        {name: remains.get(name, Remains()) for name in gone if volumes or name not in with_data},
        tuple(path for path in guests if is_useless_guest(path, staying, fetched)),
        () if volumes else tuple(with_data),
        tuple(record for record in inventory.records if record not in records),
        others,
    )


def is_useless_guest(folder: Path, exported: Collection[str], fetched: Collection[Path]) -> bool:
    """Whether a guest image in the cache is of no image that is there, and of no lab that is there."""
    if EXPORTED_GUEST.fullmatch(folder.name):
        return folder.name not in exported
    return FETCHED_GUEST.fullmatch(folder.name) is not None and folder not in fetched


def is_gone(there: Remains, folder: bool) -> bool:
    """Whether nothing of a lab is of use: no container, and no state folder with volumes (`down --keep-data`)."""
    return not there.containers and not (folder and there.volumes)


def is_ours(image: ImageSeen) -> bool:
    """Whether an image is labctl's in all of its names, and by its label: images made on one of ours inherit that."""
    names = [_REFERENCE.fullmatch(reference) for reference in image.references]
    titles = {f"labctl/{match['name']}" if match else "" for match in names}
    if not names:
        return is_labctls(image.labels)
    return titles == {image.labels.get(TITLE_LABEL, f"labctl/{ROOTFS}")}


def bytes_without(images: Iterable[ImageSeen], others: Iterable[ImageSeen]) -> int:
    """What the layers of some images take that others have not."""
    shared = {name for image in others for name in image.layers}
    layers = {name: size for image in images for name, size in image.layers.items() if name not in shared}
    return sum(layers.values())


def ours_of(records: Iterable[CacheRecord]) -> tuple[CacheRecord, ...]:
    """The records that are made on labctl's base, and its cache mounts."""
    by_id = {record.id: record for record in records}
    known: dict[str, bool] = {}

    def ours(record: CacheRecord) -> bool:
        if record.id not in known:
            known[record.id] = False  # whatever the engine says, this ends
            own = FIRST_STEP in record.description or CACHE_MOUNT in record.description
            known[record.id] = own or any(ours(by_id[parent]) for parent in record.parents if parent in by_id)
        return known[record.id]

    return tuple(record for record in by_id.values() if ours(record))


def children_first(records: Iterable[CacheRecord]) -> tuple[CacheRecord, ...]:
    """Puts each record before those that it is made on: the engine removes none that another one needs."""
    waiting = {record.id: record for record in records}
    ordered: list[CacheRecord] = []
    while waiting:
        needed = {parent for record in waiting.values() for parent in record.parents}
        free = [record for record in waiting.values() if record.id not in needed] or list(waiting.values())
        ordered += free
        for record in free:
            del waiting[record.id]
    return tuple(ordered)
