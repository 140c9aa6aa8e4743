"""What runs of a lab, and what it holds, goes; its snapshots, its networks and its state folder stay."""

from collections.abc import Collection

import docker

from labctl.bringup.down import check_others, image_for_cleanup, remove_containers
from labctl.engine.copying import remove_volume
from labctl.engine.machine import clean_up
from labctl.engine.remains import remains_of
from labctl.engine.volumes import lab_volumes
from labctl.events import Emit, step
from labctl.lab.names import guest_group, node_folders


def clear(
    client: docker.DockerClient, lab: str, emit: Emit, *, keep: Collection[str] = (), volumes: Collection[str] = ()
) -> None:
    """Removes containers, guests and volumes of a lab; for holders of its lock.

    Args:
        client: The engine.
        lab: The lab.
        emit: Told about the step.
        keep: Ids of containers that stay.
        volumes: Names in the Compose file of volumes that stay.

    Raises:
        MachineConflict: Containers that are not the lab's use its volumes.
    """
    there = remains_of(client, lab)
    check_others(client, lab, there)
    with step(emit, "remove containers, guests and volumes") as evidence:
        leaving = [container for container in there.containers if container not in keep]
        remove_containers(client, leaving)
        guests = clean_up(image_for_cleanup(client, there.images), lab, node_folders(lab), guest_group(lab))
        data = [name for key, name in lab_volumes(client, lab).items() if key not in volumes]
        for volume in data:
            remove_volume(client, volume)
        evidence.text = f"{len(leaving)} containers, {guests} guests, {len(data)} volumes"
