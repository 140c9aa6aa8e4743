"""What is left of nodes that the lab has no more: the cloud forgets them; guests, namespaces and volumes go."""

from collections import defaultdict
from typing import TYPE_CHECKING

import docker
from docker.errors import NotFound as NotThere

from labctl.engine.machine import clean_up
from labctl.engine.volumes import lab_volumes
from labctl.events import Emit, step
from labctl.lab.names import guest_group, node_folders
from labctl.lab.nodes import in_order, node_number
from labctl.render.lab import LabPlan

if TYPE_CHECKING:
    from openstack.connection import Connection


def finish_removals(
    client: docker.DockerClient, admin: "Connection", plan: LabPlan, known: tuple[str, ...], emit: Emit
) -> None:
    """Removes what is left of compute nodes that the lab has no more; their containers are gone already.

    A node's volumes go last. They tell that something is left to do, where this is interrupted; and a nova-compute that
    finds its compute service and not its own files does not start (nova/compute/manager.py: "Refusing to start after
    potentially having lost that state").

    Args:
        client: The engine.
        admin: The cloud, as admin.
        plan: The lab.
        known: The compute nodes that it has not, and the cloud still knows.
        emit: Told about the steps.

    Raises:
        CommandFailed: The machine would not.
        CloudCheckFailed: An API refused, as nova does while the node has servers.
    """
    from labctl.cloud.nodes.forget import forget

    volumes = volumes_of_others(lab_volumes(client, plan.name, in_memory=True), tuple(node.name for node in plan.nodes))
    for node in in_order({*known, *volumes}):
        with step(emit, f"remove what is left of {node}") as evidence:
            forget(admin, node)
            group, folder = f"{guest_group(plan.name)}/{node}", f"{node_folders(plan.name)}/{node}"
            clean_up(plan.references["neutron-agents"], plan.name, folder, group)
            for name in volumes[node]:
                remove_volume(client, name)
            evidence.text = f"compute service, agents, resource provider, namespace, {len(volumes[node])} volumes"


def volumes_of_others(volumes: dict[str, str], nodes: tuple[str, ...]) -> dict[str, list[str]]:
    """The volumes of compute nodes that a lab has not.

    Args:
        volumes: Name in the Compose file, which begins with the node's, to the engine's.
        nodes: The nodes that it has.

    Returns:
        Node to the engine's names of its volumes.
    """
    found = defaultdict(list)
    for key, name in volumes.items():
        node = key.partition("-")[0]
        if node_number(node) and node not in nodes:
            found[node].append(name)
    return found


def remove_volume(client: docker.DockerClient, name: str) -> None:
    """Removes a volume; one that somebody else removed meanwhile is gone as well."""
    try:
        client.api.remove_volume(name)
    except NotThere:
        return
