"""The address ranges of Docker's own networks."""

from ipaddress import IPv4Network, ip_network

import docker


def docker_ranges(client: docker.DockerClient, *, but_of_project: str = "") -> tuple[IPv4Network, ...]:
    """The IPv4 ranges of all Docker networks.

    Args:
        client: The engine.
        but_of_project: A Compose project whose networks do not count: a lab's own.
    """
    found = []
    for network in client.api.networks():
        if but_of_project and (network["Labels"] or {}).get("com.docker.compose.project") == but_of_project:
            continue
        for entry in (network["IPAM"] or {}).get("Config") or []:
            parsed = ip_network(entry["Subnet"]) if entry.get("Subnet") else None
            if isinstance(parsed, IPv4Network):
                found.append(parsed)
    return tuple(found)
