"""One file with a whole snapshot, for another machine.

The file is a plain tar, with the data first, so that it can be written while its size is not known:

    data.tar.gz      the volumes
    snapshot.yaml    the manifest, with the lab's secrets
    SHA256SUMS       of both, as sha256sum(1) writes it

It ends with the checksums: a file that was cut off is no whole one.
"""

import hashlib
import os
import tarfile
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import docker

from labctl.engine.copying import finish_helpers, make_snapshot_volume, pack, remove_volume, unpack
from labctl.engine.lab_lock import lab_lock
from labctl.errors import BadInput
from labctl.events import Emit, step
from labctl.files import write_file
from labctl.lab.state import LabState
from labctl.snapshot.manifest import Manifest, dump_manifest, load_manifest
from labctl.snapshot.store import find_manifest, manifest_file, refuse_existing, remove_halves, volume_name

DATA, MANIFEST, SUMS = "data.tar.gz", "snapshot.yaml", "SHA256SUMS"


def export(client: docker.DockerClient, image: str, lab: str, name: str, file: Path, emit: Emit) -> int:
    """Writes a snapshot into one file, which nobody else may read: it holds the lab's secrets.

    Args:
        client: The engine.
        image: An image of the lab's services.
        lab: The lab.
        name: The snapshot.
        file: The file; it is there when it is whole.
        emit: Told about the step.

    Returns:
        The file's size.

    Raises:
        NotFound: There is no such snapshot.
        BadInput: The file is there already, or its folder is not.
    """
    state = LabState(lab)
    with lab_lock(client, lab, emit), step(emit, f"write {file}") as evidence:
        manifest = find_manifest(state, name)
        if file.exists() or not file.parent.is_dir():
            raise BadInput(f"{file} is there already." if file.exists() else f"There is no folder {file.parent}.")
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb+") as out:
                out.seek(tarfile.BLOCKSIZE)
                try:
                    pack(image, lab, volume_name(state, name), out)
                finally:
                    finish_helpers(client, lab)
                finish(out, dump_manifest(manifest))
            Path(temporary).rename(file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        size = file.stat().st_size
        evidence.text = f"{size // 10**6} MB"
    return size


def finish(out: BinaryIO, manifest: bytes) -> None:
    """Makes a tar of a file that holds the data, after room for a header."""
    size = out.seek(0, os.SEEK_END) - tarfile.BLOCKSIZE
    out.write(bytes(-size % tarfile.BLOCKSIZE))
    out.seek(tarfile.BLOCKSIZE)
    sums = f"{sha256(out, size)}  {DATA}\n{hashlib.sha256(manifest).hexdigest()}  {MANIFEST}\n".encode()
    out.seek(0)
    out.write(header(DATA, size))
    out.seek(0, os.SEEK_END)
    for name, content in ((MANIFEST, manifest), (SUMS, sums)):
        out.write(header(name, len(content)) + content + bytes(-len(content) % tarfile.BLOCKSIZE))
    out.write(bytes(2 * tarfile.BLOCKSIZE))


def header(name: str, size: int) -> bytes:
    """The header of one file in a tar."""
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o600
    return info.tobuf(tarfile.GNU_FORMAT)


def sha256(file: BinaryIO, size: int) -> str:
    """The checksum of so many bytes from where the file stands; of fewer where it ends."""
    found = hashlib.sha256()
    while size > 0 and (block := file.read(min(size, 1 << 20))):
        found.update(block)
        size -= len(block)
    return found.hexdigest()


def inspect(file: BinaryIO, where: str) -> tuple[Manifest, int, int]:
    """Checks a file that `export` wrote, to its last byte.

    Returns:
        The manifest, and where in the file the data begins and how long it is.

    Raises:
        BadInput: It is cut off, changed, or something else.
    """
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            members = {member.name: member for member in tar}
            texts = {name: (tar.extractfile(members[name]) or BytesIO()).read() for name in (MANIFEST, SUMS)}
        data = members[DATA]
    except (tarfile.TarError, KeyError, EOFError, OSError) as error:
        raise BadInput(
            f"{where} is no snapshot that `labctl snapshot export` wrote, or it is cut off.", evidence=[str(error)]
        ) from None
    file.seek(data.offset_data)
    actual = {DATA: sha256(file, data.size), MANIFEST: hashlib.sha256(texts[MANIFEST]).hexdigest()}
    stated = {name: digest for digest, name in (line.split() for line in texts[SUMS].decode().splitlines())}
    wrong = [name for name, digest in actual.items() if stated.get(name) != digest]
    if wrong:
        raise BadInput(
            f"{where} is damaged.",
            evidence=[f"{name} does not have its checksum" for name in wrong],
            remedy="Copy or export it again.",
        )
    return load_manifest(texts[MANIFEST], where), data.offset_data, data.size


def import_(client: docker.DockerClient, image: Callable[[str], str], file: Path, emit: Emit) -> Manifest:
    """Takes a snapshot out of a file that `export` wrote; the lab need not be known here.

    Args:
        client: The engine.
        image: A release to an image of its services.
        file: The file.
        emit: Told about the steps.

    Raises:
        BadInput: It is no such file, is damaged, or there is a snapshot of that name; nothing was changed.
    """
    if not file.is_file():
        raise BadInput(f"There is no file {file}.")
    with file.open("rb") as source:
        with step(emit, f"check {file}"):
            manifest, begin, size = inspect(source, str(file))
        state = LabState(manifest.lab.name)
        with lab_lock(client, state.name, emit):
            refuse_existing(state, manifest.name)
            remove_halves(client, state)
            volume = volume_name(state, manifest.name)
            with step(emit, "unpack") as evidence:
                make_snapshot_volume(client, state.name, volume, manifest.name)
                try:
                    os.lseek(source.fileno(), begin, os.SEEK_SET)
                    try:
                        unpack(image(manifest.lab.release), state.name, volume, source, size)
                    finally:
                        finish_helpers(client, state.name)
                    write_file(manifest_file(state, manifest.name), dump_manifest(manifest))
                except BaseException:
                    if not manifest_file(state, manifest.name).exists():
                        remove_volume(client, volume)
                    raise
                evidence.text = f"{manifest.size // 10**6} MB"
    return manifest
