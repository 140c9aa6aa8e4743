"""What the engine has of labs: what is theirs by its labels (`labctl.engine.labels`), and by nothing else."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import docker

from labctl.engine.labels import Entry, lab_of_container, lab_of_network, lab_of_volume
from labctl.engine.ownership import owner_of
from labctl.lab.names import LabName
from labctl.lab.owner import Owner


@dataclass(frozen=True)
class Remains:
    """What the engine has of one lab.

    Attributes:
        containers: Ids.
        networks: Ids.
        volumes: Names.
        images: Ids of the containers' images.
        running: How many of the containers run.
        owner: Whose it is; None where nothing tells.
    """

    containers: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    running: int = 0
    owner: Owner | None = None


def all_remains(client: docker.DockerClient) -> dict[str, Remains]:
    """What the engine has of all labs, by name."""
    containers = _by_lab(client.api.containers(all=True), partial(lab_of_container, client))
    networks = _by_lab(client.api.networks(), lab_of_network)
    volumes = _by_lab(client.api.volumes()["Volumes"] or [], lab_of_volume)
    return {
        name: Remains(
            containers=tuple(entry["Id"] for entry in containers.get(name, ())),
            networks=tuple(entry["Id"] for entry in networks.get(name, ())),
            volumes=tuple(entry["Name"] for entry in volumes.get(name, ())),
            images=tuple(sorted({entry["ImageID"] for entry in containers.get(name, ())})),
            running=sum(entry["State"] == "running" for entry in containers.get(name, ())),
            owner=owner_of(entry["Labels"] for kind in (containers, networks, volumes) for entry in kind.get(name, ())),
        )
        for name in sorted({*containers, *networks, *volumes})
    }


def remains_of(client: docker.DockerClient, lab: str) -> Remains:
    """What the engine has of one lab."""
    return all_remains(client).get(lab, Remains())


def _by_lab(entries: Iterable[Entry], lab_of: Callable[[Entry], LabName | None]) -> dict[LabName, list[Entry]]:
    found: dict[LabName, list[Entry]] = {}
    for entry in entries:
        if name := lab_of(entry):
            found.setdefault(name, []).append(entry)
    return found
