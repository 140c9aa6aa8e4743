"""`labctl down`: removes what carries the lab's label, and its state folder."""

import shutil
from dataclasses import dataclass

import docker
from docker.errors import NotFound as NotThere

from labctl.engine.containers import LAB_LABEL
from labctl.engine.machine import clean_up
from labctl.errors import BadInput
from labctl.events import Emit, step
from labctl.lab.names import guest_group, node_folders
from labctl.lab.state import LabState, locked

STOP_SECONDS = 3


@dataclass(frozen=True)
class Removed:
    """What `take_down` removed.

    Attributes:
        containers: How many.
        networks: How many.
        volumes: How many.
        folder: Whether there was a state folder.
    """

    containers: int
    networks: int
    volumes: int
    folder: bool

    @property
    def anything(self) -> bool:
        """Whether there was anything of the lab."""
        return bool(self.containers or self.networks or self.volumes or self.folder)


def take_down(client: docker.DockerClient, name: str, emit: Emit, *, keep_data: bool = False) -> Removed:
    """Removes a lab: containers, networks, volumes, state folder; found by label, so that no file is needed for it.

    Args:
        client: The engine.
        name: The lab.
        emit: Told about the steps.
        keep_data: Keep volumes and state folder, so that `up` finds addresses, secrets, and what the lab held.
    """
    query = {"label": f"{LAB_LABEL}={name}"}
    state = LabState(name)
    with locked(f"lab-{name}"):
        with step(emit, "remove containers") as evidence:
            containers = client.api.containers(all=True, filters=query)
            remove_containers(client, [entry["Id"] for entry in containers])
            evidence.text = f"{len(containers)}"
        with step(emit, "remove guests, namespaces and mounts") as evidence:
            image = image_for_cleanup(client, [entry["ImageID"] for entry in containers])
            guests = clean_up(image, name, node_folders(name), guest_group(name))
            evidence.text = f"{guests} guests ran"
        with step(emit, "remove networks") as evidence:
            networks = client.api.networks(filters=query)
            for entry in networks:
                client.api.remove_network(entry["Id"])
            evidence.text = f"{len(networks)}"
        volumes = [] if keep_data else client.api.volumes(filters=query)["Volumes"] or []
        folder = state.folder.exists() and not keep_data
        if not keep_data:
            with step(emit, "remove volumes and state folder") as evidence:
                for entry in volumes:
                    client.api.remove_volume(entry["Name"])
                if folder:
                    shutil.rmtree(state.folder)
                evidence.text = f"{len(volumes)}"
    return Removed(len(containers), len(networks), len(volumes), folder)


def image_for_cleanup(client: docker.DockerClient, candidates: list[str]) -> str:
    """An image to run the clean-up of the machine from: of the lab's own containers, else any of labctl's.

    Raises:
        BadInput: There is none.
    """
    candidates = candidates or [str(image.id) for image in client.images.list(name="labctl/*")]
    if not candidates:
        raise BadInput(
            "Nothing is left of labctl's images, and guests and mounts of the lab may be left.",
            remedy="Run `labctl build libvirt`, and then this again.",
        )
    return candidates[0]


def remove_containers(client: docker.DockerClient, containers: list[str]) -> None:
    """Removes containers at once: with their volumes gone there is nothing that a slow stop would save."""
    from concurrent.futures import ThreadPoolExecutor

    def remove(container: str) -> None:
        try:
            client.api.remove_container(container, force=True, v=True)
        except NotThere:
            return  # someone else removed it meanwhile: that is what was wanted

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remove, containers))
