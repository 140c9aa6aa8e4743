"""Makes the cloud forget a node whose containers are gone: agents, compute service, resource provider."""

from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.cloud.readiness import same_host


def forget(admin: Connection, node: str) -> None:
    """Removes what the cloud knows of a node; what is gone already is no error, so it can be repeated.

    The compute service is last but for its remains: nova refuses to delete that of a node with servers, and takes the
    host's cell mapping and its resource provider along (nova/api/openstack/compute/services.py).

    Args:
        admin: The cloud, as admin.
        node: The node's host name. Nothing of it may run: services and agents register again as long as they live.

    Raises:
        CloudCheckFailed: An API refused.
    """
    with api_errors(f"delete the network agents of {node}"):
        for agent in admin.network.agents(host=node):
            admin.network.delete_agent(agent, ignore_missing=True)
    with api_errors(f"delete the compute service of {node}"):
        for service in admin.compute.services(binary="nova-compute", host=node):
            admin.compute.delete_service(service, ignore_missing=True)
    with api_errors(f"delete the resource provider of {node}"):
        for provider in admin.placement.resource_providers():
            if same_host(str(provider.name), node):
                drop_allocations(admin, str(provider.id))
                admin.placement.delete_resource_provider(provider, ignore_missing=True)


def drop_allocations(admin: Connection, provider: str) -> None:
    """Takes away what a provider has promised to servers that are not on it any more.

    Nova leaves such allocations where a move or a deletion was cut off; placement deletes no provider that has some.

    Raises:
        CloudCheckFailed: The API refused.
    """
    held = admin.placement.get(f"/resource_providers/{provider}/allocations").json()["allocations"]
    for consumer in held:
        path = f"/allocations/{consumer}"
        claim = admin.placement.get(path, microversion="1.28").json()
        rest = {name: {"resources": one["resources"]} for name, one in claim["allocations"].items() if name != provider}
        body = {**{key: claim[key] for key in ("project_id", "user_id", "consumer_generation")}, "allocations": rest}
        admin.placement.put(path, json=body, microversion="1.28").raise_for_status()
