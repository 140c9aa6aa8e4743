"""What runs of a lab, and what it holds, goes; its snapshots, its networks and its state folder stay."""

import docker

from labctl.bringup.down import check_others, image_for_cleanup, remove_containers
from labctl.engine.copying import remove_volume
from labctl.engine.machine import clean_up
from labctl.engine.remains import remains_of
from labctl.engine.volumes import lab_volumes
from labctl.events import Emit, step
from labctl.lab.names import guest_group, node_folders


def clear(client: docker.DockerClient, lab: str, emit: Emit) -> None:
    """Removes containers, guests and volumes of a lab; for holders of its lock.

    Raises:
        MachineConflict: Containers that are not the lab's use its volumes.
    """
    there = remains_of(client, lab)
    check_others(client, lab, there)
    with step(emit, "remove containers, guests and volumes") as evidence:
        remove_containers(client, there.containers)
        guests = clean_up(image_for_cleanup(client, there.images), lab, node_folders(lab), guest_group(lab))
        volumes = lab_volumes(client, lab).values()
        for volume in volumes:
            remove_volume(client, volume)
        evidence.text = f"{len(there.containers)} containers, {guests} guests, {len(volumes)} volumes"
