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
    check_more_nodes,
    check_ports,
    free_disk_mb,
    image_labels,
    stale_schemas,
    wildcard_ports,
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
    assert caught.value.remedy == "Run `labctl build` first."
    with pytest.raises(BadInput) as caught:
        image_labels(client(engine), wanted, ("horizon", "swift"))
    assert caught.value.remedy == "Run `labctl build --with horizon,swift` first."


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


# As the kernel writes them: a listener on all addresses, one on 127.0.0.1, one on 10.77.0.1, and a connection.
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 30000 1
   1: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 30001 1
   2: 01004D0A:2280 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 30002 1
   3: 00000000:2BCB 00000000:0000 01 00000000:00000000 00:00000000 00000000     0        0 30003 1
"""
TCP6 = """\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:1388 00000000000000000000000000000000:0000 0A
   1: 00000000000000000000000001000000:2BCB 00000000000000000000000000000000:0000 0A
"""


def test_only_what_listens_on_all_addresses_is_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "tcp").write_text(TCP)
    assert wildcard_ports(tmp_path) == {3306: "0.0.0.0"}  # noqa: S104 - the machine has no IPv6
    (tmp_path / "tcp6").write_text(TCP6)
    assert wildcard_ports(tmp_path) == {3306: "0.0.0.0", 5000: "[::]"}  # noqa: S104


def test_all_ports_that_are_taken_are_named_with_who_needs_them() -> None:
    wanted = {3306: "mariadb", 5000: "keystone", 9292: "glance"}
    check_ports(wanted, {22: "0.0.0.0"})  # noqa: S104
    with pytest.raises(MachineConflict, match="Ports that the lab needs are taken") as caught:
        check_ports(wanted, {3306: "0.0.0.0", 5000: "[::]"})  # noqa: S104
    assert caught.value.evidence == (
        "mariadb needs port 3306, and 0.0.0.0:3306 is taken",
        "keystone needs port 5000, and [::]:5000 is taken",
    )


def test_nodes_that_come_to_a_lab_that_runs_need_memory_too() -> None:
    check_more_nodes(3, 3 * machine.NODE_MB)
    with pytest.raises(MachineConflict, match=r"memory for 3 more node\(s\)"):
        check_more_nodes(3, 3 * machine.NODE_MB - 1)
