"""`labctl snapshot restore`: what the lab holds now goes, what the snapshot holds comes, and `up` brings it up."""

from contextlib import ExitStack

import docker

from labctl.bringup.drop_ins import refuse_bad_drop_ins
from labctl.bringup.prepare import range_lock, service_uid, with_range
from labctl.bringup.up import BroughtUp, bring_up, check_images, check_machine, runtime_references
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.profile import load_profiles
from labctl.engine.containers import service_containers
from labctl.engine.copying import copy_back, make_volume
from labctl.engine.images import image_contents
from labctl.engine.lab_lock import lab_lock, teller
from labctl.errors import BadInput
from labctl.events import Emit, Note, step
from labctl.files import write_file
from labctl.lab.file import dump_lab_file
from labctl.lab.locks import locked
from labctl.lab.profiles import check_profiles
from labctl.lab.secrets import Secrets, write_secrets
from labctl.lab.state import LabState
from labctl.snapshot.clear import clear
from labctl.snapshot.manifest import Manifest, differing_images
from labctl.snapshot.put_back import look, obstacle, put_back
from labctl.snapshot.store import find_manifest, remove_halves, volume_name


def restore(
    client: docker.DockerClient, folders: CatalogFolders, lab: str, name: str, emit: Emit, *, upgrade: bool = False
) -> BroughtUp:
    """Makes a lab what it was when a snapshot was taken, and brings it up.

    Args:
        client: The engine.
        folders: The catalog.
        lab: The lab.
        name: The snapshot.
        emit: Told about the steps.
        upgrade: Whether images that hold something else than those of the snapshot may take it over.

    Raises:
        NotFound: There is no such snapshot.
        BadInput: Images are missing or are others, or a file that the lab reads is missing; nothing was changed.
        MachineConflict: The machine cannot take the lab, or its addresses are taken; nothing was changed.
        BringUpFailed: The lab did not become ready.
    """
    state = LabState(lab)
    with lab_lock(client, lab, emit), ExitStack() as until_copied:
        manifest = find_manifest(state, name)
        profiles = manifest.lab.profiles
        check_profiles(manifest.lab, load_profiles(folders))
        references = runtime_references(folders, manifest.lab.release, profiles)
        check_images(client, folders, references, profiles)
        refuse_other_images(client, manifest, emit, upgrade=upgrade)
        refuse_bad_drop_ins(folders, manifest.lab, emit)
        if not service_containers(client, lab):
            check_machine(client, folders, state, manifest.lab, references)
        remove_halves(client, state)
        with locked("addresses", teller(emit, "the choice of addresses")):
            wanted = with_range(client, state, manifest.lab)
            until_copied.enter_context(range_lock(wanted))
            there = look(client, state)
            why_not = obstacle(manifest, there)
            # Until the copy ends the lab is neither what it was nor what it shall be: `up` must not take it.
            write_file(state.being_restored, name.encode())
            write_file(state.lab_file, dump_lab_file(wanted).encode())
        if there and not why_not:
            put_back(client, there, state, manifest, volume_name(state, name), emit)
        else:
            emit(Note(f"Every service starts anew: {why_not}."))
            clear(client, lab, emit)
            fill(client, state, manifest, references["libvirt"], emit)
        state.being_restored.unlink()
    return bring_up(client, folders, wanted, emit)


def fill(client: docker.DockerClient, state: LabState, manifest: Manifest, image: str, emit: Emit) -> None:
    """Puts what a snapshot holds in place: secrets, and new volumes."""
    with step(emit, f"copy the snapshot {manifest.name}") as evidence:
        write_secrets(state.secrets, Secrets(values=manifest.secrets))
        volumes = {key: make_volume(client, state.name, state.project, key) for key in manifest.volumes}
        source = volume_name(state, manifest.name)
        copy_back(image, state.name, volumes, source, (manifest.uid, service_uid()))
        evidence.text = f"{len(volumes)} volumes, {manifest.size // 10**6} MB"


def refuse_other_images(client: docker.DockerClient, manifest: Manifest, emit: Emit, *, upgrade: bool) -> None:
    """Refuses a snapshot that other images made, unless they may take it over.

    Raises:
        BadInput: Some images hold something else now.
    """
    others = differing_images(manifest.images, image_contents(client, manifest.images))
    if others and not upgrade:
        raise BadInput(
            f"The snapshot {manifest.name!r} was made by other images than those that are there.",
            evidence=[f"{reference} holds something else now" for reference in others],
            remedy="`--upgrade` restores it and lets these images take it over; or build those of that time again.",
        )
    if others:
        emit(Note(f"Other images take the snapshot over: {', '.join(others)}.", "warning"))
