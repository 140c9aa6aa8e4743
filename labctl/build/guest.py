"""The guest image: taken out of the image that `labctl build` made, or fetched from where the lab file says."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import httpx

from labctl.engine.images import copy_out, image_id
from labctl.errors import BadInput
from labctl.events import Emit, step
from labctl.files import is_file, private_folder
from labctl.lab.guests import file_name, guest_refusal, is_address

KNOWN_USERS = {"cirros": "cirros", "debian": "debian", "ubuntu": "ubuntu", "fedora": "fedora"}
"""Start of a file's name to the user that such guests log in as."""
MOST_BYTES = 16 << 30
"""Of a guest image that is fetched; a larger one may be given as a file."""
MOST_REDIRECTS = 5
SECONDS = 60
"""How long an address may say nothing."""
FETCHED_LENGTH = 12
"""Of the names of folders with a fetched image; `labctl.bringup.debris` knows those with others."""
FORMATS = {".qcow2": "qcow2", ".img": "qcow2", ".raw": "raw", ".vmdk": "vmdk"}


@dataclass(frozen=True)
class Guest:
    """A guest image on this machine.

    Attributes:
        name: What it is called in Glance.
        path: The file.
        user: Who logs in.
        min_ram: MB that it needs.
        disk_format: As Glance calls it.
        properties: Of the image in Glance.
    """

    name: str
    path: Path
    user: str
    min_ram: int
    disk_format: str
    properties: Mapping[str, str] = field(default_factory=dict)


def export_guest(reference: str, cache: Path) -> Guest:
    """Takes the guest out of its image, once for each digest of it.

    Args:
        reference: The image that holds /guest.qcow2 and /guest.json.
        cache: Folder for the result.

    Raises:
        BadInput: The image is not built.
    """
    found = image_id(reference)
    if found is None:
        raise BadInput("The guest image is not built yet.", evidence=[reference], remedy="Run `labctl build guest`.")
    folder = cache / found.removeprefix("sha256:")[:16]
    if not (folder / "guest.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        copy_out(reference, ("guest.qcow2", "guest.json"), folder)
    facts = json.loads((folder / "guest.json").read_text())
    return Guest(
        "labctl-guest", folder / "guest.qcow2", facts["user"], facts["min_ram_mb"], "qcow2", facts["properties"]
    )


def other_guest(source: str, user: str | None, sha256: str | None, cache: Path, emit: Emit) -> Guest:
    """A guest of the user's own: a file, or an address that it is fetched from once.

    Raises:
        BadInput: It is not there, is another one than its checksum says, or nobody says who logs in.
    """
    if is_address(source):
        path = fetch(source, sha256, cache, emit)
    else:
        path = Path(source)
        if not is_file(path):
            raise BadInput(f"There is no guest image {source}.", remedy="Correct `guest` in the lab file.")
        if sha256 and file_sha256(path) != sha256:
            raise BadInput(f"The guest image {source} does not have its guest_sha256.", evidence=[file_sha256(path)])
    known = next((name for start, name in KNOWN_USERS.items() if path.name.startswith(start)), None)
    if not (user or known):
        raise BadInput(f"Who logs in to {path.name}?", remedy="Say it as `guest_user` in the lab file.")
    disk_format = FORMATS.get(path.suffix, "qcow2")
    return Guest(path.stem, path, user or known or "", 256, disk_format)


def fetched_file(address: str, sha256: str | None, cache: Path) -> Path:
    """Where what was fetched is kept: what another checksum was said for is fetched anew."""
    key = hashlib.sha256(f"{address} {sha256 or ''}".encode()).hexdigest()[:FETCHED_LENGTH]
    return cache / key / file_name(address)


def fetch(address: str, sha256: str | None, cache: Path, emit: Emit) -> Path:
    """Fetches a file once.

    Args:
        address: Where it is.
        sha256: The checksum that it must have, if one was said.
        cache: The folder to keep it in.
        emit: Told about the step.

    Raises:
        BadInput: The address is none, gives nothing, too much, or something else than the checksum says.
    """
    if why := guest_refusal(address, sha256):
        raise BadInput(f"The guest image {address[:100]} is not fetched.", evidence=[why])
    path = fetched_file(address, sha256, cache)
    if path.exists():
        return path
    with step(emit, f"fetch {address}") as found:
        private_folder(path.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".fetching.")
        try:
            with os.fdopen(handle, "wb") as file:
                size, digest = download(address, sha256, file)
            if sha256 and digest != sha256:
                raise refused(address, f"it has the SHA-256 checksum {digest}, and guest_sha256 is {sha256}")
            Path(temporary).rename(path)
        except OSError as error:
            raise refused(address, str(error)) from None
        finally:
            Path(temporary).unlink(missing_ok=True)
            with suppress(OSError):
                path.parent.rmdir()  # unless it holds the image
        found.text = f"{size / 1e6:.0f} MB, SHA-256 {digest}"
    return path


def download(address: str, sha256: str | None, file: BinaryIO) -> tuple[int, str]:
    """Writes what an address gives into a file, as it comes; returns its size and checksum.

    Raises:
        BadInput: It gives nothing, or too much.
    """
    digest, size = hashlib.sha256(), 0
    try:
        with httpx.Client(timeout=SECONDS) as client, answer_of(client, address, sha256) as answer:
            for block in answer.iter_bytes():
                size += len(block)
                if size > MOST_BYTES:
                    raise refused(address, f"it has more than {MOST_BYTES >> 30} GiB")
                digest.update(block)
                file.write(block)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
        raise refused(address, str(error) or type(error).__name__) from None
    return size, digest.hexdigest()


@contextmanager
def answer_of(client: httpx.Client, address: str, sha256: str | None) -> Iterator[httpx.Response]:
    """The answer of an address, or of the one that it sends to: that may be no worse than the one which was asked for.

    Raises:
        BadInput: It sends somewhere else too often, or over plain http.
    """
    for _ in range(MOST_REDIRECTS + 1):
        with client.stream("GET", address) as answer:
            if answer.next_request is None:
                answer.raise_for_status()
                yield answer
                return
            address = str(answer.next_request.url)
        if why := guest_refusal(address, sha256):
            raise refused(address, why)
    raise refused(address, f"it sends somewhere else {MOST_REDIRECTS} times")


def refused(address: str, why: str) -> BadInput:
    """What is said where an address gave no image."""
    return BadInput(f"The guest image {address[:200]} cannot be fetched.", evidence=[why])


def file_sha256(path: Path) -> str:
    """The checksum of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
