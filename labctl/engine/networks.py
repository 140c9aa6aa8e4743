"""Docker's networks: the address ranges of all, and those of a lab."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Any

import docker

from labctl.engine.labels import PROJECT_LABEL, lab_of_network

NETWORK_LABEL = "com.docker.compose.network"
"""Compose's own label: what a network is called in the Compose file."""

BRIDGE_OPTION = "com.docker.network.bridge.name"


@dataclass(frozen=True)
class LabNetwork:
    """A network of a lab.

    Attributes:
        key: What it is called in the Compose file; empty where its labels are lost.
        name: The engine's name of it.
        id: Its id.
        subnet: Its address range; empty where it has none.
        bridge: The name of its device on the host.
    """

    key: str
    name: str
    id: str
    subnet: str
    bridge: str


def docker_ranges(client: docker.DockerClient, *, but_of_project: str = "") -> tuple[IPv4Network, ...]:
    """The IPv4 ranges of all Docker networks.

    Args:
        client: The engine.
        but_of_project: A Compose project whose networks do not count: a lab's own.
    """
    found = []
    for network in client.api.networks():
        if but_of_project and (network["Labels"] or {}).get(PROJECT_LABEL) == but_of_project:
            continue
        for subnet in _subnets(network):
            parsed = ip_network(subnet)
            if isinstance(parsed, IPv4Network):
                found.append(parsed)
    return tuple(found)


def bridges(client: docker.DockerClient) -> dict[str, str]:
    """The engine's bridge networks: name to the device on the host, which Docker names after the id unless told."""
    return {
        entry["Name"]: (entry["Options"] or {}).get(BRIDGE_OPTION) or f"br-{entry['Id'][:12]}"
        for entry in client.api.networks(filters={"driver": "bridge"})
    }


def lab_networks(client: docker.DockerClient, lab: str, prefix: str) -> tuple[LabNetwork, ...]:
    """The networks that carry a lab's label, and those whose name only that lab's could have.

    Args:
        client: The engine.
        lab: The lab.
        prefix: What the names of its networks begin with.
    """
    return tuple(
        _read(entry, lab)
        for entry in sorted(client.api.networks(), key=lambda entry: str(entry["Name"]))
        if lab_of_network(entry) == lab or entry["Name"].startswith(prefix)
    )


def _read(entry: Mapping[str, Any], lab: str) -> LabNetwork:
    labels = entry["Labels"] or {}
    return LabNetwork(
        key=labels.get(NETWORK_LABEL, "") if lab_of_network(entry) == lab else "",
        name=entry["Name"],
        id=entry["Id"],
        subnet=next(_subnets(entry), ""),
        bridge=(entry["Options"] or {}).get(BRIDGE_OPTION, ""),
    )


def _subnets(entry: Mapping[str, Any]) -> Iterator[str]:
    return (one["Subnet"] for one in (entry["IPAM"] or {}).get("Config") or [] if one.get("Subnet"))
