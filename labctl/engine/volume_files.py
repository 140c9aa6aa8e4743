"""Small files in a volume, through the engine's archive API: no program runs for it."""

import io
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import docker
from docker.errors import NotFound

from labctl.engine.labels import LAB_LABEL

FOLDER = "/var/lib/mysql"
NEXT = ".next"
END = b"\n"


def read_file(
    client: docker.DockerClient, lab: str, container: str, volume: str, image: str, name: str
) -> bytes | None:
    """The content of a file as it was last written whole; None where it never was.

    Args:
        client: The engine.
        lab: The lab.
        container: One that has the volume at `FOLDER`, if there is such a one.
        volume: The volume.
        image: To make a container of, where there is none.
        name: The file.
    """
    with _mounted(client, lab, container, volume, image) as where:
        for candidate in (name, name + NEXT):
            content = _read(client, where, candidate)
            if content and content.endswith(END):
                return content
    return None


def which_are_there(
    client: docker.DockerClient, lab: str, container: str, volume: str, image: str, names: Iterable[str]
) -> frozenset[str]:
    """Those of some small files that a volume has, whatever they hold. Arguments as for `read_file`."""
    with _mounted(client, lab, container, volume, image) as where:
        return frozenset(name for name in names if _read(client, where, name) is not None)


def write_file(
    client: docker.DockerClient, lab: str, container: str, volume: str, image: str, name: str, content: bytes
) -> None:
    """Writes a file; what was there before is kept until the new content is on the disk, which may be full.

    Arguments as for `read_file`; the content ends with the end of a line, which tells that it is whole.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        # The engine unpacks one after the other, and cannot rename.
        for each in (name + NEXT, name):
            entry = tarfile.TarInfo(each)
            entry.size, entry.mode = len(content), 0o664
            archive.addfile(entry, io.BytesIO(content))
    with _mounted(client, lab, container, volume, image) as where:
        client.api.put_archive(where, FOLDER, packed.getvalue())


def _read(client: docker.DockerClient, container: str, name: str) -> bytes | None:
    """A file's content; None where it is not there."""
    try:
        chunks, _ = client.api.get_archive(container, f"{FOLDER}/{name}")
    except NotFound:
        return None
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        found = archive.extractfile(name)
        return found.read() if found else b""


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
