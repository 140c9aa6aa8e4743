"""Copies of a lab's volumes: volumes are root's, so a short-lived container copies them.

A container whose command was killed goes on: it ends what it began, and guests that it has suspended run again.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.resources import files
from typing import BinaryIO

import docker
from docker.errors import APIError
from docker.errors import NotFound as NotThere

from labctl.engine.labels import LAB_LABEL, PROJECT_LABEL, SNAPSHOT_LABEL, containers_of
from labctl.engine.ownership import labels_of_lab
from labctl.engine.process import CommandFailed, run, transfer
from labctl.engine.short_lived import docker_run
from labctl.engine.volumes import VOLUME_LABEL
from labctl.errors import BadInput

CAPABILITIES = ("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID")
"""Of root's, what copies files of all owners; not what makes device nodes, of which no volume of a lab has any."""
NO_SNAPSHOT = 3
"""Exit code of unpack.sh where the tar is none, holds what no snapshot does, or more than it says."""
FINISH_SECONDS = 60
"""How long a container that copies may take to end when it is told to."""

CONFLICT = 409
AT_ONCE = 24


@contextmanager
def paused(client: docker.DockerClient, containers: Iterable[str]) -> Iterator[None]:
    """Pauses containers, all within some hundredths of a second, and lets them go on however the body ends.

    A process that is killed here leaves them paused, for the engine and everybody to see: `up` resumes such ones.
    """
    begun: list[str] = []

    def pause(container: str) -> None:
        begun.append(container)
        client.api.pause(container)

    def resume(container: str) -> None:
        try:
            client.api.unpause(container)
        except APIError as error:
            # Not paused, because pausing failed or somebody was faster; or gone.
            if error.status_code not in (CONFLICT, 404, 500):
                raise

    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            list(pool.map(pause, containers))
            yield
        finally:
            list(pool.map(resume, begun))


def copy_out(
    image: str, lab: str, volumes: Mapping[str, str], snapshot: str, node_folders: str, nodes: Iterable[str]
) -> dict[str, int]:
    """Copies a lab's volumes into that of a snapshot, while its guests are suspended.

    Args:
        image: An image with virsh.
        lab: The lab.
        volumes: Name in the Compose file to the engine's.
        snapshot: The snapshot's volume.
        node_folders: The machine's folder with those of the nodes.
        nodes: The compute nodes.

    Returns:
        Volume, by its name in the Compose file, to the bytes that the copy takes.

    Raises:
        CommandFailed: A guest could not be suspended, or the disk is full.
    """
    mounts = [f"{volume}:/volumes/{key}:ro" for key, volume in volumes.items()]
    mounts += [f"{snapshot}:/snapshot", f"{node_folders}:/nodes"]
    return _sizes(run(_command(image, lab, "take.sh", mounts, nodes)).stdout)


def copy_beside(
    image: str, lab: str, volumes: Mapping[str, str], snapshot: str, container: str, process: str
) -> dict[str, int]:
    """Copies volumes while one process stands still, and all others go on; for volumes that no other writes to.

    Args:
        image: Any image of labctl's services.
        lab: The lab.
        volumes: Name in the Compose file to the engine's.
        snapshot: The volume to copy to.
        container: The container of the process.
        process: Its name.

    Returns:
        As `copy_out`.

    Raises:
        CommandFailed: There is no such process, or the disk is full.
    """
    mounts = [f"{volume}:/volumes/{key}:ro" for key, volume in volumes.items()] + [f"{snapshot}:/snapshot"]
    options = ("--pid", f"container:{container}", "--cap-add=KILL")
    return _sizes(run(_command(image, lab, "checkpoint.sh", mounts, [process], options)).stdout)


def _sizes(said: str) -> dict[str, int]:
    sizes = (line.split("\t") for line in said.splitlines())
    return {key: int(size) for size, key in sizes}


def copy_back(image: str, lab: str, volumes: Mapping[str, str], snapshot: str, owners: tuple[int, int]) -> None:
    """Replaces what a lab's volumes hold by what a snapshot holds of them.

    Args:
        image: Any image of labctl's services.
        lab: The lab.
        volumes: Name in the Compose file to the engine's.
        snapshot: The snapshot's volume.
        owners: The user whose files these were, and the one whose they shall be.

    Raises:
        CommandFailed: The disk is full.
    """
    mounts = [f"{volume}:/volumes/{key}" for key, volume in volumes.items()] + [f"{snapshot}:/snapshot:ro"]
    run(_command(image, lab, "put.sh", mounts, map(str, owners)))


def pack(image: str, lab: str, snapshot: str, target: BinaryIO) -> None:
    """Writes what a snapshot's volume holds as a compressed tar, to where the file stands.

    Raises:
        CommandFailed: The disk is full.
    """
    transfer(_command(image, lab, "pack.sh", [f"{snapshot}:/snapshot:ro"], ()), target=target)


def unpack(image: str, lab: str, snapshot: str, source: BinaryIO, size: int, volumes: Mapping[str, int]) -> None:
    """Fills a snapshot's volume from a compressed tar of so many bytes, from where the file stands.

    Args:
        image: Any image of labctl's services.
        lab: The lab.
        snapshot: The snapshot's volume.
        source: The file.
        size: How many bytes of it are the tar.
        volumes: What the tar must hold: volume, by its name in the Compose file, to the bytes that it takes.

    Raises:
        BadInput: It is no such tar, or holds what no snapshot does: device nodes, links that leave a volume, more than
            was said.
        CommandFailed: The disk is full.
    """
    arguments = [str(size), *(f"{name}={taken}" for name, taken in volumes.items())]
    try:
        transfer(_command(image, lab, "unpack.sh", [f"{snapshot}:/snapshot"], arguments), source=source)
    except CommandFailed as error:
        if error.completed.exit_code != NO_SNAPSHOT:
            raise
        raise BadInput("The file holds what no snapshot of labctl's does.", evidence=error.evidence[-8:]) from None


def make_volume(client: docker.DockerClient, lab: str, project: str, key: str) -> str:
    """Makes a volume of a lab as Compose would have made it.

    Returns:
        The engine's name of it.
    """
    labels = {**labels_of_lab(lab), PROJECT_LABEL: project, VOLUME_LABEL: key}
    return str(client.api.create_volume(f"{project}_{key}", labels=labels)["Name"])


def make_snapshot_volume(client: docker.DockerClient, lab: str, volume: str, name: str) -> None:
    """Makes the volume of a snapshot."""
    client.api.create_volume(volume, labels={**labels_of_lab(lab), SNAPSHOT_LABEL: name})


def remove_volume(client: docker.DockerClient, volume: str) -> None:
    """Removes a volume; one that is gone is removed."""
    with suppress(NotThere):
        client.api.remove_volume(volume)


def finish_helpers(client: docker.DockerClient, lab: str) -> None:
    """Ends the containers that still copy for a command that was killed; they let suspended guests run again."""
    for entry in containers_of(client, lab, SNAPSHOT_LABEL):
        with suppress(NotThere):
            client.api.stop(entry["Id"], timeout=FINISH_SECONDS)
        try:
            client.api.remove_container(entry["Id"], force=True)
        except NotThere:
            continue
        except APIError as error:
            if error.status_code != CONFLICT:
                raise
            client.api.wait(entry["Id"], condition="removed")


def _command(
    image: str, lab: str, script: str, mounts: Iterable[str], arguments: Iterable[str], options: Iterable[str] = ()
) -> list[str]:
    command = docker_run("--interactive", "--network", "none", "--read-only", "--user", "0:0")
    command += ["--cap-drop", "ALL", *(f"--cap-add={one}" for one in CAPABILITIES)]
    command += ["--label", f"{LAB_LABEL}={lab}", "--label", f"{SNAPSHOT_LABEL}=", "--entrypoint", "bash", *options]
    for mount in mounts:
        command += ["--volume", mount]
    text = (files(__name__) / script).read_text()
    return [*command, image, "-euo", "pipefail", "-c", text, script, *arguments]
