"""What the engine has of labs: what carries labctl's label, and Compose projects of labctl's images.

The second sign is for labs of a labctl that labelled otherwise. A project's name alone is none: somebody's folder may
be called labctl-website.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import docker

from labctl.engine.containers import LAB_LABEL
from labctl.engine.ownership import owner_of
from labctl.lab.names import is_lab_name
from labctl.lab.owner import Owner
from labctl.lab.state import PROJECT_PREFIX

PROJECT_LABEL = "com.docker.compose.project"
TITLE_LABEL = "org.opencontainers.image.title"
"""Of images, `labctl/NAME` for labctl's; the engine gives containers the labels of their images."""

Entry = dict[str, Any]


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
    containers = client.api.containers(all=True)
    networks = client.api.networks()
    volumes = client.api.volumes()["Volumes"] or []
    projects = {entry["Labels"].get(PROJECT_LABEL) for entry in containers if is_labctls(entry["Labels"])} - {None}

    def of(name: str, entries: Iterable[Entry]) -> list[Entry]:
        return [entry for entry in entries if lab_of(entry["Labels"], projects) == name]

    names = {lab_of(entry["Labels"], projects) for entry in (*containers, *networks, *volumes)}
    return {
        name: Remains(
            containers=tuple(entry["Id"] for entry in of(name, containers)),
            networks=tuple(entry["Id"] for entry in of(name, networks)),
            volumes=tuple(entry["Name"] for entry in of(name, volumes)),
            images=tuple(sorted({entry["ImageID"] for entry in of(name, containers)})),
            running=sum(entry["State"] == "running" for entry in of(name, containers)),
            owner=owner_of(entry["Labels"] for entry in of(name, [*containers, *networks, *volumes])),
        )
        for name in sorted(name for name in names if name)
    }


def remains_of(client: docker.DockerClient, lab: str) -> Remains:
    """What the engine has of one lab."""
    return all_remains(client).get(lab, Remains())


def is_labctls(labels: Mapping[str, str] | None) -> bool:
    """Whether labels are those of an image of labctl's."""
    return (labels or {}).get(TITLE_LABEL, "").startswith("labctl/")


def lab_of(labels: Mapping[str, str] | None, projects: Collection[str]) -> str | None:
    """The lab that something on the engine belongs to, or None where it is no lab's.

    Args:
        labels: Its labels.
        projects: The Compose projects with containers of labctl's images.
    """
    labels = labels or {}
    if LAB_LABEL in labels:
        return labels[LAB_LABEL]
    project = labels.get(PROJECT_LABEL, "")
    name = project.removeprefix(PROJECT_PREFIX)
    return name if project in projects and project.startswith(PROJECT_PREFIX) and is_lab_name(name) else None
