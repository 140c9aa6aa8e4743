"""`labctl prune`: looks for what nobody needs any more, and removes it."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import docker
import yaml

from labctl.bringup.debris import Debris, find_debris, is_gone
from labctl.bringup.down import remove_lab
from labctl.build.guest import fetched_file
from labctl.build.naming import naming
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import load_images
from labctl.catalog.profile import load_profiles
from labctl.engine.inventory import Inventory, remove_image, remove_record, take_inventory
from labctl.engine.lab_lock import lab_lock, teller
from labctl.engine.remains import Remains, all_remains, remains_of
from labctl.errors import BadInput
from labctl.events import Emit, Note, step
from labctl.files import read_regular
from labctl.lab.document import MOST_BYTES
from labctl.lab.guests import is_address
from labctl.lab.locks import locked
from labctl.lab.state import LabState, cache_root, state_folders
from labctl.yaml_input import load_yaml


def look(
    client: docker.DockerClient, folders: CatalogFolders, *, everything: bool, volumes: bool
) -> tuple[Debris, Inventory]:
    """Looks for what can go.

    Args:
        client: The engine.
        folders: The catalog.
        everything: Also the images that have a name and that no lab runs.
        volumes: Also volumes of labs without a state folder.

    Returns:
        What can go, and what the engine keeps altogether.
    """
    remains, labs = all_remains(client), state_folders()
    inventory = take_inventory(client)
    debris = find_debris(
        inventory,
        remains,
        {lab.name for lab in labs},
        sorted((cache_root() / "guests").glob("*")),
        needed_images(folders, labs, remains),
        [folder for lab in labs for folder in fetched_guests(lab)],
        everything=everything,
        volumes=volumes,
    )
    return debris, inventory


def needed_images(folders: CatalogFolders, labs: Iterable[LabState], remains: Mapping[str, Remains]) -> frozenset[str]:
    """References of the images that labs run which are up, or whose data is kept."""
    there = [lab for lab in labs if not is_gone(remains.get(lab.name, Remains()), folder=True)]
    return frozenset(reference for lab in there for reference in images_of(folders, lab))


def said_of(lab: LabState) -> Mapping[str, Any]:
    """What a lab's file says; nothing where there is none.

    Raises:
        BadInput: It is no lab file, so nobody knows what the lab needs.
    """
    try:
        said = load_yaml(read_regular(lab.lab_file, MOST_BYTES)) if lab.exists else {}
    except yaml.YAMLError as error:
        raise BadInput(f"{lab.lab_file} is not YAML", evidence=[str(error)]) from None
    if not isinstance(said, dict):
        raise BadInput(f"{lab.lab_file} is no lab file")
    return said


def images_of(folders: CatalogFolders, lab: LabState) -> list[str]:
    """References of the images that a lab needs. Nothing but that is looked at in its file."""
    said = said_of(lab)
    if not (release := str(said.get("release", ""))):
        return []
    known = load_profiles(folders)
    images = load_images(folders).runtime(known.closure(said.get("with") or ()))
    return [naming(release).reference(image.name) for image in images]


def fetched_guests(lab: LabState) -> Iterator[Path]:
    """The folder of the guest image that a lab boots, where it was fetched."""
    said = said_of(lab)
    guest, sha256 = said.get("guest"), said.get("guest_sha256")
    if isinstance(guest, str) and is_address(guest):
        yield fetched_file(guest, sha256, cache_root() / "guests").parent


def prune(
    client: docker.DockerClient, folders: CatalogFolders, emit: Emit, *, everything: bool = False, volumes: bool = False
) -> int:
    """Removes what can go.

    Args:
        client: The engine.
        folders: The catalog.
        emit: Told about the steps.
        everything: Also the images that have a name and that no lab runs.
        volumes: Also volumes of labs without a state folder.

    Returns:
        How many bytes that freed.
    """
    # A build's images have no names until it ends.
    with locked("build", teller(emit, "images")):
        debris, inventory = look(client, folders, everything=everything, volumes=volumes)
        freed = sum(remove_gone_lab(client, name, seen, inventory, emit) for name, seen in debris.labs.items())
        with step(emit, "remove images") as evidence:
            count = sum(remove_images(client, debris))
            evidence.text = f"{count}"
        freed += inventory.layers_bytes - take_inventory(client).layers_bytes
        with step(emit, "remove build cache") as evidence:
            cache = sum(remove_record(client, record.id) for record in debris.records)
            evidence.text = f"{cache // 10**6} MB"
        freed += cache + sum(remove_folder(path) for path in debris.guests)
    return freed


def remove_images(client: docker.DockerClient, debris: Debris) -> list[bool]:
    """Removes images; tells of each whether it is gone."""
    return [remove_image(client, name) for image in debris.images for name in image.references or (image.id,)]


def remove_gone_lab(client: docker.DockerClient, name: str, seen: Remains, inventory: Inventory, emit: Emit) -> int:
    """Removes what is left of a lab, unless it is something else than was seen: somebody is bringing it up.

    Returns:
        How many bytes its volumes took.
    """
    with lab_lock(client, name, emit):
        if remains_of(client, name) != seen:
            emit(Note(f"The lab {name!r} changed meanwhile and stays."))
            return 0
        remove_lab(client, name, emit)
    return sum(inventory.volume_bytes.get(volume, 0) for volume in seen.volumes)


def remove_folder(folder: Path) -> int:
    """Removes a folder of files; returns how many bytes they had."""
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder)
    return size
