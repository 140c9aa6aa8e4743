"""Labels: whose something on the engine is. Anybody writes labels, so a name in one is checked before it is one.

Something is a lab's where it carries the lab's label and the label of the lab's Compose project. Two kinds of things
are made without Compose: volumes of snapshots, and the short-lived containers that work for a lab, which are of
labctl's images. The engine gives a container the labels of its image, too; these say nothing of whose it is.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import docker
from docker.errors import ImageNotFound

from labctl.lab.names import LabName, lab_name
from labctl.lab.state import PROJECT_PREFIX

LAB_LABEL = "org.labctl.lab"
SNAPSHOT_LABEL = "org.labctl.snapshot"
"""Of a snapshot's volume, the snapshot's name; also of the containers that copy."""
PROJECT_LABEL = "com.docker.compose.project"
TITLE_LABEL = "org.opencontainers.image.title"
"""Of images, `labctl/NAME` for labctl's."""

Labels = Mapping[str, str]
Entry = Mapping[str, Any]
"""One of the engine's lists (Docker Engine API)."""


def project_of(lab: str) -> str:
    """The Compose project of a lab."""
    return PROJECT_PREFIX + lab


def is_labctls(labels: Labels | None) -> bool:
    """Whether labels are those of an image of labctl's."""
    return (labels or {}).get(TITLE_LABEL, "").startswith("labctl/")


def lab_of_network(entry: Entry) -> LabName | None:
    """The lab that a network is of."""
    return _made_by_compose(entry["Labels"] or {})


def lab_of_volume(entry: Entry) -> LabName | None:
    """The lab that a volume is of, or that its snapshot is of."""
    labels: Labels = entry["Labels"] or {}
    if SNAPSHOT_LABEL not in labels:
        return _made_by_compose(labels)
    name = lab_name(labels.get(LAB_LABEL, ""))
    return name if name and str(entry["Name"]).startswith(f"{project_of(name)}_") else None


def lab_of_container(client: docker.DockerClient, entry: Entry) -> LabName | None:
    """The lab that a container is of."""
    labels: Labels = entry["Labels"] or {}
    name = lab_name(labels.get(LAB_LABEL, ""))
    if name is None:
        return None
    image = _labels_of_image(client, str(entry["ImageID"]))
    if image is None:
        # Somebody removed it by force: nobody can tell which of the container's labels are its own.
        return name if any(one.startswith(f"/{name}-") for one in entry["Names"] or ()) else None
    own = {key: value for key, value in labels.items() if image.get(key) != value}
    if LAB_LABEL in own and PROJECT_LABEL not in labels and is_labctls(image):
        return name
    return _made_by_compose(own)


def containers_of(client: docker.DockerClient, lab: str, *labels: str) -> list[Entry]:
    """The containers of a lab, running or not.

    Args:
        client: The engine.
        lab: The lab.
        labels: Labels that they have besides.
    """
    found = client.api.containers(all=True, filters={"label": [f"{LAB_LABEL}={lab}", *labels]})
    return [entry for entry in found if lab_of_container(client, entry) == lab]


def volumes_of(client: docker.DockerClient, lab: str) -> list[Entry]:
    """The volumes of a lab and of its snapshots."""
    found = client.api.volumes(filters={"label": f"{LAB_LABEL}={lab}"})["Volumes"] or []
    return [entry for entry in found if lab_of_volume(entry) == lab]


@lru_cache(maxsize=1024)
def _labels_of_image(client: docker.DockerClient, image: str) -> Labels | None:
    """The labels of an image, by its id, which stands for them for ever; None of one that is gone."""
    try:
        config = client.api.inspect_image(image)["Config"] or {}  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return None
    labels: Labels = config.get("Labels") or {}
    return labels


def _made_by_compose(labels: Labels) -> LabName | None:
    name = lab_name(labels.get(LAB_LABEL, ""))
    return name if name and labels.get(PROJECT_LABEL) == project_of(name) else None
