"""`labctl snapshot create`: the lab stands still while its volumes are copied.

All services are paused at one moment, guests are suspended, and what is copied is what a power failure at that moment
would have left, with the guests' disks flushed: the database recovers as it does from a crash, and nothing is in flight
between services that the others do not know of.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import docker

from labctl import __version__
from labctl.bringup.birth import read_birth
from labctl.bringup.prepare import service_uid
from labctl.bringup.ready import wait_for_services
from labctl.bringup.watch import Watch
from labctl.engine.containers import ServiceState, service_states
from labctl.engine.copying import copy_out, finish_helpers, make_snapshot_volume, paused, remove_volume
from labctl.engine.images import image_contents
from labctl.engine.lab_lock import lab_lock
from labctl.engine.volumes import lab_volumes
from labctl.errors import BadInput
from labctl.events import Emit, step
from labctl.files import write_file
from labctl.lab.file import LabFile
from labctl.lab.names import node_folders
from labctl.lab.secrets import read_secrets
from labctl.lab.state import LabState
from labctl.snapshot.manifest import Manifest, dump_manifest
from labctl.snapshot.store import manifest_file, refuse_existing, remove_halves, volume_name


def create(client: docker.DockerClient, lab: LabFile, name: str, emit: Emit) -> Manifest:
    """Takes a snapshot of a lab that is up.

    Args:
        client: The engine.
        lab: The lab.
        name: The snapshot's name.
        emit: Told about the steps.

    Raises:
        BadInput: There is one of that name, or the lab is not ready.
        CommandFailed: A guest could not be suspended, or the disk is full; the lab goes on.
        BringUpFailed: A service did not become healthy again.
    """
    state = LabState(lab.name)
    with lab_lock(client, lab.name, emit):
        refuse_existing(state, name)
        services = service_states(client, lab.name)
        refuse_unready(lab.name, services)
        remove_halves(client, state)
        volumes = lab_volumes(client, lab.name)
        volume = volume_name(state, name)
        made_by = running_images(client, state, services)
        image = services[f"{lab.nodes[0]}-libvirt"].image
        birth = read_birth(client, state, image)
        running = [one.container for one in services.values() if one.status == "running"]
        make_snapshot_volume(client, lab.name, volume, name)
        try:
            with Watch(client, lab.name, emit) as watch:
                with step(emit, "copy while the lab stands still") as evidence, paused(client, running):
                    watch.look()
                    try:
                        sizes = copy_out(image, lab.name, volumes, volume, node_folders(lab.name), lab.nodes)
                    finally:
                        finish_helpers(client, lab.name)
                    evidence.text = f"{len(sizes)} volumes, {sum(sizes.values()) // 10**6} MB"
                # The engine calls what was paused unhealthy until its next health check.
                with step(emit, "wait until services are healthy again"):
                    wait_for_services(client, watch, time.monotonic() + lab.seconds_to_wait)
            manifest = describe(state, lab, name, made_by, sizes, birth)
            write_file(manifest_file(state, name), dump_manifest(manifest))
        except BaseException:
            if not manifest_file(state, name).exists():
                remove_volume(client, volume)
            raise
    return manifest


def describe(
    state: LabState, lab: LabFile, name: str, images: dict[str, str], volumes: dict[str, int], birth: str
) -> Manifest:
    """The manifest of a copy that was just made of a lab."""
    return Manifest(
        name=name,
        made=datetime.now(UTC).replace(microsecond=0),
        labctl=__version__,
        lab=lab,
        images=images,
        uid=service_uid(),
        volumes=volumes,
        secrets=read_secrets(state.secrets).values,
        birth=birth,
    )


def running_images(
    client: docker.DockerClient, state: LabState, services: Mapping[str, ServiceState]
) -> dict[str, str]:
    """Reference to what it holds, of the images that a lab runs."""
    references = references_of(state)
    contents = image_contents(client, (one.image for one in services.values()))
    return {references[key]: contents[one.image] for key, one in services.items() if key in references}


def refuse_unready(lab: str, services: Mapping[str, ServiceState]) -> None:
    """Refuses a lab that is not up as a whole.

    Raises:
        BadInput: A service is not ready, or there is none.
    """
    waiting = [f"{name} is {one.summary}" for name, one in services.items() if not one.is_ready]
    if waiting or not services:
        raise BadInput(
            f"The lab {lab!r} is not up, and a snapshot would not be of a lab that works.",
            evidence=waiting or ["it has no containers"],
            remedy=f"`labctl up --name {lab}` first.",
        )


def references_of(state: LabState) -> dict[str, str]:
    """Service to the reference of its image, of the lab as it was brought up."""
    return {name: str(service["image"]) for name, service in state.services.items()}
