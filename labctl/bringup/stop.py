"""`labctl stop`: nothing of a lab runs any more, and everything of it is kept.

nova-compute goes first: it would record of each guest that ends that its server was stopped. So nova goes on believing
that they run, and starts them again when it comes back (`resume_guests_state_on_host_boot`).
"""

from dataclasses import dataclass

import docker

from labctl.bringup.down import image_for_cleanup
from labctl.engine import compose
from labctl.engine.containers import service_states
from labctl.engine.lab_lock import lab_lock
from labctl.engine.machine import clean_up, remove_filter, shut_guests
from labctl.engine.remains import remains_of
from labctl.events import Emit, step
from labctl.lab.file import LabFile
from labctl.lab.names import filter_table, guest_group, node_folders
from labctl.lab.state import LabState


@dataclass(frozen=True)
class Stopped:
    """What `stop_lab` stopped.

    Attributes:
        containers: How many containers ran.
        guests: How many guests ran, of those whose libvirt answered.
        switched_off: How many of them did not shut down in time.
    """

    containers: int
    guests: int
    switched_off: int


def stop_lab(client: docker.DockerClient, lab: LabFile, emit: Emit, *, timeout: int) -> Stopped:
    """Stops a lab: nova-compute, then the guests, then all services, those that wait for others first.

    Args:
        client: The engine.
        lab: The lab.
        emit: Told about the steps.
        timeout: Seconds that guests may take to shut down.

    Raises:
        CommandFailed: The engine refused, or a libvirt.
    """
    state = LabState(lab.name)
    folders = node_folders(lab.name)
    with lab_lock(client, lab.name, emit):
        services = service_states(client, lab.name)
        there = {name for name, one in services.items() if not one.is_stopped}
        guests = off = 0
        if computes := sorted({f"{node}-nova-compute" for node in lab.nodes} & there):
            with step(emit, "stop nova-compute"):
                compose.stop(state.project, state.compose_file, computes)
        with_libvirt = [
            node for node in lab.nodes if (one := services.get(f"{node}-libvirt")) and one.summary == "healthy"
        ]
        if with_libvirt:
            with step(emit, "shut guests down") as evidence:
                image = services[f"{with_libvirt[0]}-libvirt"].image
                guests, off = shut_guests(image, lab.name, folders, with_libvirt, timeout)
                evidence.text = f"{guests}, of which {off} were switched off"
        if there:
            with step(emit, "stop services") as evidence:
                compose.stop(state.project, state.compose_file)
                evidence.text = f"{len(there)}"
        image = image_for_cleanup(client, remains_of(client, lab.name).images)
        with step(emit, "remove namespaces and mounts"):
            clean_up(image, lab.name, folders, guest_group(lab.name))
        with step(emit, "remove the packet filter"):
            remove_filter(image, lab.name, filter_table(lab.name))
    return Stopped(len(there), guests, off)
