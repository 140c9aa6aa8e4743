"""What labctl makes beside Compose tells whose it is: whoever makes it, also out of another user's snapshot."""

from typing import Any, cast

import docker

from labctl.engine.copying import make_snapshot_volume, make_volume
from labctl.engine.ownership import OWNER_LABEL
from labctl.lab.owner import this_user


class FakeEngine:
    """An engine that keeps the labels of volumes."""

    def __init__(self) -> None:
        self.api = self
        self.made: dict[str, dict[str, str]] = {}

    def create_volume(self, name: str, labels: dict[str, str]) -> dict[str, Any]:
        self.made[name] = labels
        return {"Name": name}


def test_volumes_are_this_users() -> None:
    engine = FakeEngine()
    client = cast(docker.DockerClient, engine)
    make_snapshot_volume(client, "lab", "labctl-lab_snapshot-x", "x")
    make_volume(client, "lab", "labctl-lab", "mariadb")
    assert {labels[OWNER_LABEL] for labels in engine.made.values()} == {this_user().label}
    assert len(engine.made) == 2
