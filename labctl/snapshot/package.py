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
from pathlib import Path
from typing import BinaryIO

import docker

from labctl.engine.copying import finish_helpers, make_snapshot_volume, pack, remove_volume, unpack
from labctl.engine.lab_lock import lab_lock
from labctl.errors import BadInput
from labctl.events import Emit, Note, step
from labctl.files import open_regular, write_file
from labctl.lab.file import LabFile, with_values
from labctl.lab.reach import Reach
from labctl.lab.state import LabState
from labctl.snapshot.manifest import MOST_BYTES, Manifest, dump_manifest, load_manifest
from labctl.snapshot.store import find_manifest, manifest_file, refuse_existing, remove_halves, volume_name

DATA, MANIFEST, SUMS = "data.tar.gz", "snapshot.yaml", "SHA256SUMS"
SUMS_BYTES = 1000
"""Of the checksums: two lines."""


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
        begin, size = member(file, 0, DATA, file.seek(0, os.SEEK_END))
        texts = {}
        after = begin + size
        for name, most in ((MANIFEST, MOST_BYTES), (SUMS, SUMS_BYTES)):
            at, length = member(file, after + -after % tarfile.BLOCKSIZE, name, most)
            file.seek(at)
            texts[name] = file.read(length)
            after = at + length
    except (tarfile.TarError, ValueError, OSError) as error:
        raise BadInput(
            f"{where} is no snapshot that `labctl snapshot export` wrote, or it is cut off.", evidence=[str(error)]
        ) from None
    stated = sums_of(texts[SUMS])
    if stated.get(MANIFEST) != hashlib.sha256(texts[MANIFEST]).hexdigest():
        raise damaged(where, MANIFEST)
    manifest = load_manifest(texts[MANIFEST], where)
    file.seek(begin)
    if stated.get(DATA) != sha256(file, size):
        raise damaged(where, DATA)
    return manifest, begin, size


def member(file: BinaryIO, at: int, name: str, most: int) -> tuple[int, int]:
    """Reads the header of one file in a tar, and nothing else: `export` writes no others than it needs.

    Python's reader follows headers of other kinds, such as sparse files and long names, to whatever size they say.

    Args:
        file: The tar.
        at: Where the header is.
        name: What the file must be called.
        most: The bytes that it may have.

    Returns:
        Where the content begins, and how long it is.

    Raises:
        tarfile.TarError: There is no such header.
        ValueError: It is of another file, or of more bytes.
    """
    file.seek(at)
    info = tarfile.TarInfo.frombuf(file.read(tarfile.BLOCKSIZE), "utf-8", "replace")
    if info.name != name or info.type != tarfile.REGTYPE:
        raise ValueError(f"{name} is not where it belongs")
    if not 0 <= info.size <= most:
        raise ValueError(f"{name} cannot have {info.size} bytes")
    begin = at + tarfile.BLOCKSIZE
    if begin + info.size > file.seek(0, os.SEEK_END):
        raise ValueError("unexpected end of data")
    return begin, info.size


def sums_of(text: bytes) -> dict[str, str]:
    """A file's name to its checksum, as sha256sum(1) writes it."""
    parts = (line.partition("  ") for line in text.decode(errors="replace").splitlines())
    return {name: digest for digest, _, name in parts}


def damaged(where: str, name: str) -> BadInput:
    """What is said of a file with a wrong checksum."""
    return BadInput(
        f"{where} is damaged.", evidence=[f"{name} does not have its checksum"], remedy="Copy or export it again."
    )


def own_files(lab: LabFile) -> tuple[str, ...]:
    """What a lab reads of the machine that it is brought up on; in a stranger's snapshot, the stranger chose that."""
    guest = lab.guest if lab.guest and "://" not in lab.guest else None
    drop_ins = [path for paths in lab.configuration.values() for path in paths]
    return tuple(str(path) for path in (guest, *drop_ins, *lab.sources.values()) if path)


def closed(manifest: Manifest, emit: Emit) -> Manifest:
    """A stranger's lab as it is taken over: its maker knows its secrets, so nobody but this machine reaches it."""
    if manifest.lab.reach == Reach():
        return manifest
    emit(Note("The lab would let others than this machine reach it (`reach`): that is left out.", "warning"))
    return manifest.model_copy(update={"lab": with_values(manifest.lab, reach=Reach())})


def import_(client: docker.DockerClient, image: Callable[[str], str], file: Path, emit: Emit) -> Manifest:
    """Takes a snapshot out of a file that `export` wrote; the lab need not be known here.

    Args:
        client: The engine.
        image: A release to an image of its services.
        file: The file.
        emit: Told about the steps.

    Raises:
        BadInput: It is no such file, is damaged, holds what no snapshot does, or there is a snapshot of that name;
            nothing was changed.
    """
    with open_regular(file) as source:
        with step(emit, f"check {file}"):
            manifest, begin, size = inspect(source, str(file))
        if not manifest.name:
            raise BadInput(f"{file} holds no snapshot that has a name.", remedy="`labctl snapshot export` writes such.")
        state = LabState(manifest.lab.name)
        manifest = closed(manifest, emit)
        if own := own_files(manifest.lab):
            emit(Note(f"The lab would read files of this machine: {', '.join(own)}.", "warning"))
        with lab_lock(client, state.name, emit):
            refuse_existing(state, manifest.name)
            remove_halves(client, state)
            volume = volume_name(state, manifest.name)
            with step(emit, "unpack") as evidence:
                make_snapshot_volume(client, state.name, volume, manifest.name)
                try:
                    os.lseek(source.fileno(), begin, os.SEEK_SET)
                    try:
                        unpack(image(manifest.lab.release), state.name, volume, source, size, manifest.volumes)
                    finally:
                        finish_helpers(client, state.name)
                    write_file(manifest_file(state, manifest.name), dump_manifest(manifest))
                except BaseException:
                    if not manifest_file(state, manifest.name).exists():
                        remove_volume(client, volume)
                    raise
                evidence.text = f"{manifest.size // 10**6} MB"
    return manifest
