"""The snapshots of a lab: their manifests in its state folder, found and removed."""

from collections.abc import Iterable
from pathlib import Path

import docker

from labctl.engine.copying import finish_helpers, remove_volume
from labctl.engine.volumes import snapshot_volumes
from labctl.errors import BadInput, NotFound
from labctl.files import read_regular
from labctl.lab.names import nearest
from labctl.lab.state import LabState
from labctl.snapshot.manifest import MOST_BYTES, Manifest, load_manifest, parse_snapshot_name


def folder_of(state: LabState) -> Path:
    """Where the manifests are."""
    return state.folder / "snapshots"


def manifest_file(state: LabState, name: str) -> Path:
    """The manifest of one snapshot, which is there when the snapshot is whole."""
    return folder_of(state) / f"{name}.yaml"


def volume_name(state: LabState, name: str) -> str:
    """The volume of one snapshot."""
    return f"{state.project}_snapshot-{name}"


def checkpoint_file(state: LabState) -> Path:
    """The manifest of the lab's checkpoint: what it was just after its first `up`."""
    return state.folder / "checkpoint.yaml"


def checkpoint_volume(state: LabState) -> str:
    """The volume of the lab's checkpoint."""
    return f"{state.project}_checkpoint"


def read_manifest(path: Path) -> Manifest:
    """Reads a manifest.

    Raises:
        BadInput: It cannot be read, or is none.
    """
    return load_manifest(read_regular(path, MOST_BYTES), str(path))


def find_manifests(state: LabState) -> tuple[Manifest, ...]:
    """The snapshots of a lab, the oldest first.

    Raises:
        BadInput: A manifest cannot be read.
    """
    found = [read_manifest(path) for path in folder_of(state).glob("*.yaml")]
    return tuple(sorted(found, key=lambda one: one.made))


def find_manifest(state: LabState, name: str) -> Manifest:
    """One snapshot.

    Raises:
        NotFound: There is none of that name.
        BadInput: Its manifest cannot be read.
    """
    path = manifest_file(state, parse_snapshot_name(name))
    if not path.is_file():
        names = sorted(one.stem for one in folder_of(state).glob("*.yaml"))
        there = f"There are: {', '.join(names)}." if names else f"`labctl snapshot create --name {state.name} SNAPSHOT`"
        raise NotFound(f"The lab {state.name!r} has no snapshot {name!r}.", remedy=nearest(name, names) or there)
    return read_manifest(path)


def refuse_existing(state: LabState, name: str) -> None:
    """Refuses to make a snapshot under a name that another one has.

    Raises:
        BadInput: There is one.
    """
    if manifest_file(state, name).exists():
        raise BadInput(
            f"The lab {state.name!r} has a snapshot {name!r} already.",
            remedy=f"Take another name, or `labctl snapshot delete --name {state.name} {name}`.",
        )


def delete(client: docker.DockerClient, state: LabState, name: str) -> None:
    """Removes a snapshot: what makes it whole first.

    Raises:
        NotFound: There is none of that name.
        BadInput: No snapshot can have that name.
    """
    if not manifest_file(state, parse_snapshot_name(name)).is_file():
        find_manifest(state, name)
    manifest_file(state, name).unlink()
    remove_volume(client, volume_name(state, name))


def remove_halves(client: docker.DockerClient, state: LabState) -> tuple[str, ...]:
    """Removes what an interrupted command left of snapshots that never became whole; for holders of the lab's lock.

    Returns:
        The volumes that are gone.
    """
    finish_helpers(client, state.name)
    whole = {volume_name(state, path.stem) for path in folder_of(state).glob("*.yaml")}
    if checkpoint_file(state).exists():
        whole.add(checkpoint_volume(state))
    halves = tuple(sorted(set(snapshot_volumes(client, state.name)) - whole))
    _remove(client, halves)
    return halves


def _remove(client: docker.DockerClient, volumes: Iterable[str]) -> None:
    for volume in volumes:
        remove_volume(client, volume)
