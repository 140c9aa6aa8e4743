"""`labctl down`: removes what the engine has of a lab, and its state folder."""

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import docker
from docker.errors import NotFound as NotThere

from labctl.engine.lab_lock import lab_lock
from labctl.engine.labels import TITLE_LABEL
from labctl.engine.machine import clean_up, remove_filter
from labctl.engine.remains import Remains, remains_of
from labctl.errors import BadInput, MachineConflict
from labctl.events import Emit, step
from labctl.lab.names import filter_table, guest_group, node_folders
from labctl.lab.state import LabState

AGENTS = "labctl/neutron-agents"
"""The image with programs for all of it."""


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


def take_down(
    client: docker.DockerClient, name: str, emit: Emit, *, keep_data: bool = False, adopt: bool = False
) -> Removed:
    """Removes a lab: containers, networks, volumes, state folder; found by labels, so that no file is needed for it.

    Args:
        client: The engine.
        name: The lab.
        emit: Told about the steps.
        keep_data: Keep volumes and state folder, so that `up` finds addresses, secrets, and what the lab held.
        adopt: Also a lab of another user's.

    Raises:
        NotYours: It is another user's.
        MachineConflict: Containers that are not the lab's use its networks or volumes.
    """
    with lab_lock(client, name, emit, adopt=adopt):
        return remove_lab(client, name, emit, keep_data=keep_data)


def remove_lab(client: docker.DockerClient, name: str, emit: Emit, *, keep_data: bool = False) -> Removed:
    """As `take_down`, for those who hold the lab's lock."""
    state = LabState(name)
    there = remains_of(client, name)
    check_others(client, name, there)
    # Looked for once, while containers keep it: nobody else removes it meanwhile.
    image = image_for_cleanup(client, there.images)
    with step(emit, "remove containers") as evidence:
        remove_containers(client, there.containers)
        evidence.text = f"{len(there.containers)}"
    with step(emit, "remove guests, namespaces and mounts") as evidence:
        guests = clean_up(image, name, node_folders(name), guest_group(name))
        evidence.text = f"{guests} guests ran"
    with step(emit, "remove the packet filter"):
        remove_filter(image, name, filter_table(name))
    with step(emit, "remove networks") as evidence:
        for network in there.networks:
            client.api.remove_network(network)
        evidence.text = f"{len(there.networks)}"
    volumes = () if keep_data else there.volumes
    folder = state.folder.exists() and not keep_data
    if not keep_data:
        with step(emit, "remove volumes and state folder") as evidence:
            for volume in volumes:
                client.api.remove_volume(volume)
            if folder:
                shutil.rmtree(state.folder)
            evidence.text = f"{len(volumes)}"
    return Removed(len(there.containers), len(there.networks), len(volumes), folder)


def check_others(client: docker.DockerClient, name: str, there: Remains) -> None:
    """Refuses to take a lab away under containers that are not its own, before anything is removed.

    Raises:
        MachineConflict: Some use its networks or volumes.
    """
    networks, volumes = set(there.networks), set(there.volumes)
    users = []
    for entry in client.api.containers(all=True):
        used = {each["NetworkID"] for each in entry["NetworkSettings"]["Networks"].values()} & networks
        used |= {mount.get("Name") for mount in entry["Mounts"]} & volumes
        if used and entry["Id"] not in there.containers:
            users.append(entry["Names"][0].removeprefix("/"))
    if users:
        raise MachineConflict(
            f"Containers that are not of the lab {name!r} use its networks or volumes.",
            evidence=sorted(users),
            remedy=f"Remove them (`docker rm -f {' '.join(sorted(users))}`), and then this again.",
        )


def image_for_cleanup(client: docker.DockerClient, candidates: Sequence[str]) -> str:
    """The agents' image, to run the clean-up of the machine from: that of the lab's own containers, else any.

    Raises:
        BadInput: There is none.
    """
    ours = (client.images.get(image) for image in candidates)
    for image in (*ours, *client.images.list(filters={"label": f"{TITLE_LABEL}={AGENTS}"})):
        if image.labels.get(TITLE_LABEL) == AGENTS:
            return str(image.id)
    raise BadInput(
        f"No image {AGENTS} is left, and guests, mounts and a packet filter of the lab may be left.",
        remedy="Run `labctl build neutron-agents`, and then this again.",
    )


def remove_containers(client: docker.DockerClient, containers: Iterable[str]) -> None:
    """Removes containers at once: with their volumes gone there is nothing that a slow stop would save."""
    from concurrent.futures import ThreadPoolExecutor

    def remove(container: str) -> None:
        try:
            client.api.remove_container(container, force=True, v=True)
        except NotThere:
            return  # someone else removed it meanwhile: that is what was wanted

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(remove, containers))
