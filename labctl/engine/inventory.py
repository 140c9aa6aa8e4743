"""What the engine keeps on the disk: images and build cache, with what takes how much."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import docker
from docker.errors import APIError, ImageNotFound

CONFLICT = 409
"""The engine's answer where something is in use."""


@dataclass(frozen=True)
class ImageSeen:
    """An image.

    Attributes:
        id: sha256:...
        references: Its names, such as labctl/nova:2024.2; none for one that a newer build took the name of.
        labels: Its labels.
        containers: How many containers there are of it, running or not.
        layers: Its layers, as a name that images which share one have in common, and bytes.
    """

    id: str
    references: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    containers: int = 0
    layers: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CacheRecord:
    """A record of the build cache.

    Attributes:
        id: The record's id.
        parents: The records that it is made on.
        description: The step that made it.
        own_bytes: What goes with it: nothing where an image shares it.
        in_use: Whether a build uses it now.
    """

    id: str
    parents: tuple[str, ...] = ()
    description: str = ""
    own_bytes: int = 0
    in_use: bool = False


@dataclass(frozen=True)
class Inventory:
    """What the engine keeps.

    Attributes:
        images: The images.
        records: The records of the build cache.
        volume_bytes: Size of each volume, by name.
        layers_bytes: What all images take together.
    """

    images: tuple[ImageSeen, ...] = ()
    records: tuple[CacheRecord, ...] = ()
    volume_bytes: Mapping[str, int] = field(default_factory=dict)
    layers_bytes: int = 0


def take_inventory(client: docker.DockerClient) -> Inventory:
    """Asks the engine (Docker Engine API, SystemDataUsage)."""
    usage = client.api.df()
    images = tuple(
        ImageSeen(
            entry["Id"],
            tuple(name for name in entry["RepoTags"] or () if not name.startswith("<none>")),
            entry["Labels"] or {},
            entry["Containers"],
            layers_of(history_of(client, entry["Id"])),
        )
        for entry in usage["Images"] or ()
    )
    records = tuple(
        CacheRecord(
            entry["ID"],
            # Engine 26 writes the name with a blank in front.
            tuple(entry.get("Parents") or entry.get(" Parents") or ()),
            entry["Description"],
            0 if entry["Shared"] else entry["Size"],
            entry["InUse"],
        )
        for entry in usage["BuildCache"] or ()
    )
    volumes = {entry["Name"]: max(entry["UsageData"]["Size"], 0) for entry in usage["Volumes"] or ()}
    return Inventory(images, records, volumes, usage["LayersSize"])


def history_of(client: docker.DockerClient, image: str) -> Sequence[Mapping[str, Any]]:
    """The history of an image; none of one that somebody removed meanwhile."""
    try:
        history: Sequence[Mapping[str, Any]] = client.api.history(image)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return ()
    return history


def layers_of(history: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """The layers of an image, from its history, which has the newest first.

    The engine tells the layers' digests and, here, their bytes, but not which belong together. What two images have in
    common is the beginning of their histories.
    """
    found, name = {}, ""
    for entry in reversed(history):
        text = f"{name} {entry['Created']} {entry['CreatedBy']} {entry['Size']}"
        name = hashlib.sha256(text.encode()).hexdigest()
        found[name] = int(entry["Size"])
    return found


def remove_image(client: docker.DockerClient, name: str) -> bool:
    """Takes a name away from an image, or removes one that has none, by its id.

    Returns:
        Whether it is gone; False where a container of it was made meanwhile.
    """
    try:
        client.api.remove_image(name)
    except ImageNotFound:
        return True
    except APIError as error:
        if error.status_code != CONFLICT:
            raise
        return False
    return True


def remove_record(client: docker.DockerClient, record: str) -> int:
    """Removes one record of the build cache, unless a build or another record needs it.

    Returns:
        The bytes that this freed.
    """
    # The types know some filters; the engine's API takes an id as well (Docker Engine API, BuildPrune).
    answer = client.api.prune_builds(filters={"id": record}, all=True)  # type: ignore[arg-type]
    return int(answer["SpaceReclaimed"])
