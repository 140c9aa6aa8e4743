"""A lab's volumes, found again from their labels."""

from collections.abc import Mapping
from dataclasses import dataclass

import docker

from labctl.engine.labels import SNAPSHOT_LABEL, lab_of_volume, volumes_of

VOLUME_LABEL = "com.docker.compose.volume"
"""Compose's own label: what a volume is called in the Compose file."""


def lab_volumes(client: docker.DockerClient, lab: str, *, in_memory: bool = False) -> dict[str, str]:
    """The volumes of a lab that hold its data: their name in the Compose file to the engine's.

    Not its snapshots; nor those in memory, unless asked for: nothing in them outlives its containers.
    """
    return {
        entry["Labels"].get(VOLUME_LABEL, entry["Name"]): entry["Name"]
        for entry in volumes_of(client, lab)
        if SNAPSHOT_LABEL not in entry["Labels"] and (in_memory or not is_in_memory(entry.get("Options") or {}))
    }


def is_in_memory(options: Mapping[str, str]) -> bool:
    """Whether a volume with these options of the engine's own driver is in memory."""
    return options.get("type") == "tmpfs"


def snapshot_volumes(client: docker.DockerClient, lab: str) -> tuple[str, ...]:
    """The volumes of a lab's snapshots."""
    return tuple(entry["Name"] for entry in volumes_of(client, lab) if SNAPSHOT_LABEL in entry["Labels"])


@dataclass(frozen=True)
class LabVolume:
    """A volume of a lab.

    Attributes:
        name: The engine's name of it.
        options: The driver's options that it was made with.
        is_labelled: Whether it carries the lab's label: one whose making was interrupted does not.
        is_used: Whether a container mounts it; only asked for one without the label.
    """

    name: str
    options: Mapping[str, str]
    is_labelled: bool = True
    is_used: bool = True


def find_volumes(client: docker.DockerClient, lab: str, prefix: str) -> tuple[LabVolume, ...]:
    """The volumes that carry a lab's label, and those whose name only that lab's could have.

    Args:
        client: The engine.
        lab: The lab.
        prefix: What the names of its volumes begin with.
    """
    found = []
    for entry in sorted(client.api.volumes()["Volumes"] or [], key=lambda entry: str(entry["Name"])):
        is_labelled = lab_of_volume(entry) == lab
        if is_labelled or entry["Name"].startswith(prefix):
            is_used = is_labelled or bool(client.api.containers(all=True, filters={"volume": entry["Name"]}))
            found.append(LabVolume(entry["Name"], entry["Options"] or {}, is_labelled, is_used))
    return tuple(found)
