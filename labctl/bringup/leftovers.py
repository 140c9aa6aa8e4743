"""What is left of nodes that the lab has no more: the cloud forgets them, and their volumes go."""

from typing import TYPE_CHECKING

import docker
from docker.errors import NotFound as NotThere

from labctl.engine.volumes import lab_volumes
from labctl.events import Emit, step
from labctl.lab.nodes import node_number

if TYPE_CHECKING:
    from openstack.connection import Connection


def forget_nodes(admin: "Connection", nodes: tuple[str, ...], emit: Emit) -> None:
    """Makes the cloud forget nodes; their containers are gone already.

    Raises:
        CloudCheckFailed: An API refused, as nova does while the node has servers.
    """
    from labctl.cloud.nodes.forget import forget

    for node in nodes:
        with step(emit, f"forget {node}") as evidence:
            forget(admin, node)
            evidence.text = "compute service, agents, resource provider"


def remove_volumes(client: docker.DockerClient, lab: str, nodes: tuple[str, ...], emit: Emit) -> None:
    """Removes the volumes of nodes that the lab has no more.

    After the cloud has forgotten them: a nova-compute that finds its compute service and not its own files will not
    start (nova/compute/manager.py: "Refusing to start after potentially having lost that state").

    Args:
        client: The engine.
        lab: The lab's name.
        nodes: The compute nodes that it has.
        emit: Told about the step.
    """
    leftover = [name for key, name in lab_volumes(client, lab).items() if is_of_other_node(key, nodes)]
    if not leftover:
        return
    with step(emit, "remove the volumes of nodes that are gone") as evidence:
        for name in leftover:
            try:
                client.api.remove_volume(name)
            except NotThere:
                continue  # someone else removed it meanwhile: that is what was wanted
        evidence.text = f"{len(leftover)}"


def is_of_other_node(volume: str, nodes: tuple[str, ...]) -> bool:
    """Whether a volume, by its name in the Compose file, belongs to a compute node that the lab has not."""
    node = volume.partition("-")[0]
    return node_number(node) is not None and node not in nodes
