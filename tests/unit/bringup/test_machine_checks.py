"""What a lab needs of the machine: memory, disk, images that fit together."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest

from labctl.bringup import machine
from labctl.bringup.machine import (
    available_memory_mb,
    check_disk,
    check_memory,
    free_disk_mb,
    image_labels,
    stale_schemas,
)
from labctl.errors import BadInput, MachineConflict

STAMP = "org.labctl.schema."


def needed_memory(nodes: int) -> int:
    """The control plane, the network node and the compute nodes."""
    return machine.CONTROL_PLANE_MB + machine.NODE_MB * (1 + nodes)


@pytest.mark.parametrize("nodes", [1, 3, 64])
def test_memory_that_is_just_enough_will_do_and_one_less_will_not(nodes: int) -> None:
    check_memory(nodes, needed_memory(nodes))
    with pytest.raises(MachineConflict, match=f"Too little memory for a lab of {nodes} node") as caught:
        check_memory(nodes, needed_memory(nodes) - 1)
    assert f"{needed_memory(nodes)} MB are needed, {needed_memory(nodes) - 1} MB are available" in caught.value.what
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("nodes", [1, 3, 64])
def test_disk_that_is_just_enough_will_do_and_one_less_will_not(nodes: int) -> None:
    needed = machine.LAB_DISK_MB + machine.NODE_DISK_MB * nodes
    check_disk(nodes, needed, "/var/lib/docker")
    with pytest.raises(MachineConflict, match=f"Too little disk space for a lab of {nodes} node") as caught:
        check_disk(nodes, needed - 1, "/var/lib/docker")
    assert "/var/lib/docker" in caught.value.evidence[0]


def test_memory_is_what_the_kernel_says_is_available_not_what_is_free(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       16000000 kB\nMemFree:          100000 kB\nMemAvailable:    8388608 kB\n")
    assert available_memory_mb(meminfo) == 8192


def test_this_machine_has_memory() -> None:
    assert 0 < available_memory_mb() < 10**8


@dataclass
class FakeEngine:
    """An engine that has some images, and keeps its data somewhere."""

    labels: Mapping[str, Mapping[str, str]]
    root: str = "/"

    @property
    def images(self) -> "FakeEngine":
        return self

    def get(self, reference: str) -> SimpleNamespace:
        if reference not in self.labels:
            raise docker.errors.ImageNotFound(reference)
        return SimpleNamespace(labels=self.labels[reference])

    def info(self) -> dict[str, str]:
        return {"DockerRootDir": self.root}


def client(engine: FakeEngine) -> docker.DockerClient:
    return cast(Any, engine)


def test_the_disk_is_asked_although_the_engines_folder_cannot_be_seen(tmp_path: Path) -> None:
    free, folder = free_disk_mb(client(FakeEngine({}, str(tmp_path / "hidden" / "docker"))))
    assert folder == str(tmp_path)
    assert free > 0


def test_labels_of_images() -> None:
    engine = FakeEngine({"labctl/nova:x": {"a": "1"}, "labctl/other:x": {}})
    assert image_labels(client(engine), {"nova": "labctl/nova:x"}) == {"nova": {"a": "1"}}


def test_all_images_that_are_missing_are_named_at_once() -> None:
    engine = FakeEngine({"labctl/nova:x": {}})
    wanted = {name: f"labctl/{name}:x" for name in ("nova", "glance", "mariadb")}
    with pytest.raises(BadInput, match="not built yet") as caught:
        image_labels(client(engine), wanted)
    assert caught.value.evidence == ("labctl/glance:x", "labctl/mariadb:x")
    assert "labctl build" in caught.value.remedy


def test_schemas_that_fit_are_not_stale() -> None:
    labels = {
        "nova": {STAMP + "nova": "1"},
        "glance": {STAMP + "glance": "2"},
        "mariadb": {STAMP + "nova": "1", STAMP + "glance": "2"},
    }
    assert stale_schemas(labels, ("nova", "glance"), "mariadb") == ()


@pytest.mark.parametrize("holds", [{STAMP + "nova": "old", STAMP + "glance": "2"}, {STAMP + "glance": "2"}])
def test_a_schema_that_other_packages_made_is_named(holds: dict[str, str]) -> None:
    labels = {"nova": {STAMP + "nova": "1"}, "glance": {STAMP + "glance": "2"}, "mariadb": holds}
    assert stale_schemas(labels, ("nova", "glance"), "mariadb") == ("nova",)
