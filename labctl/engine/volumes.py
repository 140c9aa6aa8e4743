"""A lab's volumes, found again from their labels."""

import docker

from labctl.engine.containers import LAB_LABEL

VOLUME_LABEL = "com.docker.compose.volume"
"""Compose's own label: what a volume is called in the Compose file."""


def lab_volumes(client: docker.DockerClient, lab: str) -> dict[str, str]:
    """The volumes of a lab: their name in the Compose file to the engine's."""
    found = client.api.volumes(filters={"label": f"{LAB_LABEL}={lab}"})["Volumes"] or []
    return {entry["Labels"].get(VOLUME_LABEL, entry["Name"]): entry["Name"] for entry in found}
