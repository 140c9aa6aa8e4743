"""What there is of a lab: one look at the engine and at the lab's folder."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import docker

from labctl.engine.containers import ServiceState, count_deaths, service_containers
from labctl.engine.images import image_contents
from labctl.engine.networks import LabNetwork, lab_networks
from labctl.engine.volumes import LabVolume, find_volumes
from labctl.files import is_private
from labctl.lab.state import LabState

LAB_FILE = "lab.yaml"
SECRETS = "secrets.yaml"


@dataclass(frozen=True)
class Seen:
    """A lab as it is.

    Attributes:
        containers: The containers of its services.
        networks: Its networks.
        volumes: Its volumes.
        images: The id of an image that a container was made from to the digest of what it holds.
        files: Path to content, of the files that are readable for their user alone; named as in `Wanted`.
        stamps: Image to the stamp of its schema in the database's volume; None where there is no volume.
    """

    containers: tuple[ServiceState, ...] = ()
    networks: tuple[LabNetwork, ...] = ()
    volumes: tuple[LabVolume, ...] = ()
    images: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    stamps: Mapping[str, str] | None = None


def look(client: docker.DockerClient, state: LabState) -> Seen:
    """Looks once."""
    prefix = f"{state.project}_"
    containers = tuple(count_deaths(client, one) for one in service_containers(client, state.name))
    return Seen(
        containers=containers,
        networks=lab_networks(client, state.name, prefix),
        volumes=find_volumes(client, state.name, prefix),
        images=image_contents(client, (one.image for one in containers)),
        files=read_files(state),
    )


def read_files(state: LabState) -> dict[str, bytes]:
    """The files of a lab; one that others may read counts as not there, so that it is written again."""
    paths: dict[str, Path] = {LAB_FILE: state.lab_file, SECRETS: state.secrets}
    if state.rendered.exists():
        paths |= {str(path.relative_to(state.rendered)): path for path in state.rendered.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in paths.items() if is_private(path)}
