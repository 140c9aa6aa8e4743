"""The guest image: taken out of the image that `labctl build` made, or fetched from where the lab file says."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from labctl.engine.images import copy_out, image_id
from labctl.errors import BadInput
from labctl.events import Emit, step
from labctl.files import write_file

KNOWN_USERS = {"cirros": "cirros", "debian": "debian", "ubuntu": "ubuntu", "fedora": "fedora"}
"""Start of a file's name to the user that such guests log in as."""
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


def other_guest(source: str, user: str | None, cache: Path, emit: Emit) -> Guest:
    """A guest of the user's own: a file, or an address that it is fetched from once.

    Raises:
        BadInput: It is not there, or nobody says who logs in.
    """
    path = fetch(source, cache, emit) if "://" in source else Path(source)
    if not path.is_file():
        raise BadInput(f"There is no guest image {source}.")
    known = next((name for start, name in KNOWN_USERS.items() if path.name.startswith(start)), None)
    if not (user or known):
        raise BadInput(f"Who logs in to {path.name}?", remedy="Say it as `guest_user` in the lab file.")
    disk_format = FORMATS.get(path.suffix, "qcow2")
    return Guest(path.stem, path, user or known or "", 256, disk_format)


def fetch(address: str, cache: Path, emit: Emit) -> Path:
    """Fetches a file once.

    Raises:
        BadInput: The address gives nothing.
    """
    name = f"{hashlib.sha256(address.encode()).hexdigest()[:8]}-{address.rstrip('/').rsplit('/', 1)[1]}"
    path = cache / name.partition("-")[0] / name.partition("-")[2]
    if path.exists():
        return path
    with step(emit, f"fetch {address}") as found:
        try:
            answer = httpx.get(address, follow_redirects=True, timeout=60).raise_for_status()
        except httpx.HTTPError as error:
            raise BadInput(f"The guest image {address} cannot be fetched.", evidence=[str(error)]) from None
        write_file(path, answer.content, 0o644)
        found.text = f"{len(answer.content) / 1e6:.0f} MB"
    return path
