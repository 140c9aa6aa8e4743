"""Small files in a volume, through the engine's archive API: no program runs for it."""

import io
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager

import docker
from docker.errors import NotFound

from labctl.engine.containers import LAB_LABEL

FOLDER = "/var/lib/mysql"


def read_file(
    client: docker.DockerClient, lab: str, container: str, volume: str, image: str, name: str
) -> bytes | None:
    """The content of a file; None where it is not there.

    Args:
        client: The engine.
        lab: The lab.
        container: One that has the volume at `FOLDER`, if there is such a one.
        volume: The volume.
        image: To make a container of, where there is none.
        name: The file.
    """
    with _mounted(client, lab, container, volume, image) as where:
        try:
            chunks, _ = client.api.get_archive(where, f"{FOLDER}/{name}")
        except NotFound:
            return None
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            found = archive.extractfile(name)
            return found.read() if found else None


def write_file(
    client: docker.DockerClient, lab: str, container: str, volume: str, image: str, name: str, content: bytes
) -> None:
    """Writes a file; arguments as for `read_file`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = len(content), 0o664
        archive.addfile(entry, io.BytesIO(content))
    with _mounted(client, lab, container, volume, image) as where:
        client.api.put_archive(where, FOLDER, packed.getvalue())


@contextmanager
def _mounted(client: docker.DockerClient, lab: str, container: str, volume: str, image: str) -> Iterator[str]:
    """A container that has the volume: the one that there is, or one that never starts."""
    try:
        mounts = client.api.inspect_container(container)["Mounts"]
    except NotFound:
        mounts = []
    if any(mount.get("Name") == volume and mount["Destination"] == FOLDER for mount in mounts):
        yield container
        return
    # To look changes nothing: without `nocopy` the engine fills an empty volume with what the image has there.
    settings = client.api.create_host_config(binds=[f"{volume}:{FOLDER}:nocopy"], network_mode="none")
    made = client.api.create_container(image, ["none"], host_config=settings, labels={LAB_LABEL: lab})["Id"]
    try:
        yield made
    finally:
        client.api.remove_container(made, force=True)
