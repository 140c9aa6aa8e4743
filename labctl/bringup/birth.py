"""The birth of a lab's databases: an id, made when their volume was first filled and kept in it.

It travels with the volume, through snapshots and back. Two volumes with the same birth hold states of one cloud: its
users, projects and nodes have the same ids in both, and a service that remembers these may go on where one replaces
the other.
"""

import uuid

import docker

from labctl.bringup.migrate import container, volume
from labctl.engine.volume_files import read_file, write_file
from labctl.lab.state import LabState

FILE = "labctl-birth"


def read_birth(client: docker.DockerClient, state: LabState, image: str) -> str:
    """The birth of a lab's databases; empty where a labctl filled their volume that wrote none.

    Args:
        client: The engine.
        state: The lab.
        image: An image to look into the volume from, where there is no container.
    """
    content = read_file(client, state.name, container(state.name), volume(state.project), image, FILE)
    return content.decode().strip() if content else ""


def write_birth(client: docker.DockerClient, state: LabState, image: str) -> None:
    """Gives a lab's databases a birth of their own."""
    content = f"{uuid.uuid4()}\n".encode()
    write_file(client, state.name, container(state.name), volume(state.project), image, FILE, content)
