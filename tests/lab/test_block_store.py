"""Volumes: what a server writes on one stays there, through everything that can be done to a volume.

One server boots from a volume, and one lives on its node's disk and has a volume attached. What they write is read
back, so that each step shows that the data moved and not only that a status changed.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from openstack.connection import Connection

from labctl.cloud.ssh import GuestShell
from labctl.cloud.waiting import Pending, wait_until
from labctl.lab.file import load_lab_file
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import LOOK_EVERY, PREFIX, SECONDS, Guests

PROFILE = "cinder"
GIB = 2**30
MARK_SIZE = 16
FIRST, SECOND = ("first".ljust(MARK_SIZE), "second".ljust(MARK_SIZE))


@pytest.fixture(scope="module", autouse=True)
def block_store(lab: Lab, profiles_built: None) -> Iterator[None]:
    """The lab gets Cinder, and loses it again where it had none."""
    had = PROFILE in load_lab_file(lab.state.lab_file, (), check_files=False).profiles
    if not had:
        ran = labctl("up", "--name", lab.name, "--with", PROFILE, timeout=600)
        assert ran.code == 0, str(ran)
        measured(f"labctl up --with {PROFILE}, of a lab that is up", ran.seconds, "s")
    yield
    if not had:
        ran = labctl("up", "--name", lab.name, "--without", PROFILE, timeout=600)
        assert ran.code == 0, str(ran)
        assert not any(name.startswith(("cinder", "ceph")) for name in lab.containers())


@dataclass
class Volumes:
    """The block store as admin; everything is waited for by its status."""

    admin: Connection

    def create(self, name: str, **what: Any) -> Any:
        return self.reach(self.admin.block_storage.create_volume(name=f"{PREFIX}-{name}", **what), "available")

    def reach(self, volume: Any, status: str) -> Any:
        def look() -> Any:
            seen = self.admin.block_storage.get_volume(volume.id)
            assert not seen.status.startswith("error"), f"{seen.name} is {seen.status}"
            return seen if seen.status == status else Pending(seen.status)

        return wait_until(look, f"the volume {volume.name} to be {status}", SECONDS, LOOK_EVERY)

    def snapshot(self, volume: Any, *, force: bool = False) -> Any:
        made = self.admin.block_storage.create_snapshot(volume_id=volume.id, name=volume.name, force=force)

        def look() -> Any:
            seen = self.admin.block_storage.get_snapshot(made.id)
            assert seen.status != "error"
            return seen if seen.status == "available" else Pending(seen.status)

        return wait_until(look, f"a snapshot of {volume.name}", SECONDS, LOOK_EVERY)

    def attach(self, server: Any, volume: Any) -> None:
        self.admin.compute.create_volume_attachment(server, volume_id=volume.id)
        self.reach(volume, "in-use")

    def detach(self, server: Any, volume: Any) -> None:
        self.admin.compute.delete_volume_attachment(server, volume.id)
        self.reach(volume, "available")

    def remove(self) -> None:
        """Everything that is left, snapshots first; what has children goes after them."""
        api = self.admin.block_storage
        self._all_gone(api.snapshots, api.delete_snapshot)
        self._all_gone(api.volumes, api.delete_volume)

    def _all_gone(self, listed: Callable[[], Any], delete: Callable[..., Any]) -> None:
        for one in listed():
            delete(one, ignore_missing=True)

        def look() -> bool | Pending:
            left = [f"{one.name} is {one.status}" for one in listed()]
            assert not any(text.endswith("error_deleting") for text in left), left
            return Pending(", ".join(left)) if left else True

        wait_until(look, "volumes and snapshots to be gone", SECONDS, LOOK_EVERY)


@pytest.fixture
def volumes(admin: Connection) -> Iterator[Volumes]:
    made = Volumes(admin)
    try:
        yield made
    finally:
        made.remove()


def said(shell: GuestShell, command: str) -> str:
    ran = shell.run(command, timeout=60)
    assert ran.status == 0, "\n".join(ran.lines())
    return ran.stdout


def write(shell: GuestShell, text: str) -> None:
    said(shell, f"printf '%s' '{text}' | sudo dd of=/dev/vdb conv=notrunc,fsync 2>/dev/null")


def read(shell: GuestShell) -> str:
    return said(shell, f"sudo dd if=/dev/vdb bs={MARK_SIZE} count=1 2>/dev/null")


def wait_for_size(shell: GuestShell, gib: int) -> None:
    """Until the guest's kernel knows the second disk with this size; 0 for none."""

    def look() -> bool | Pending:
        text = said(shell, "cat /sys/block/vdb/size 2>/dev/null || echo 0").strip()
        return int(text) * 512 == gib * GIB or Pending(f"{text} sectors")

    wait_until(look, f"/dev/vdb of {gib} GiB", SECONDS, LOOK_EVERY)


def test_volumes_keep_what_is_written(reached: Guests, volumes: Volumes) -> None:
    api = reached.admin.block_storage
    server, _ = reached.boot("writer", "node1", log_in=True)
    shell = reached.log_in(server)
    try:
        begin = time.monotonic()
        volume = volumes.create("data", size=1)
        measured("a volume is there", time.monotonic() - begin, "s")
        begin = time.monotonic()
        volumes.attach(server, volume)
        measured("a volume is attached", time.monotonic() - begin, "s")
        wait_for_size(shell, 1)
        write(shell, FIRST)
        first = volumes.snapshot(volume, force=True)
        write(shell, SECOND)
        assert read(shell) == SECOND

        api.extend_volume(volume, 2)
        volume = volumes.reach(volume, "in-use")
        wait_for_size(shell, 2)
        assert read(shell) == SECOND

        volumes.detach(server, volume)
        wait_for_size(shell, 0)
        clone = volumes.create("clone", size=2, source_volume_id=volume.id)
        restored = volumes.create("restored", size=1, snapshot_id=first.id)
        second = volumes.snapshot(volume)
        for one, text in ((restored, FIRST), (clone, SECOND)):
            volumes.attach(server, one)
            wait_for_size(shell, one.size)
            assert read(shell) == text
            write(shell, "overwritten".ljust(MARK_SIZE))
            volumes.detach(server, one)
            wait_for_size(shell, 0)

        # Only to the newest snapshot (cinder/volume/api.py).
        volumes.attach(server, volume)
        wait_for_size(shell, 2)
        assert read(shell) == SECOND, "what its clone and its snapshot's volume wrote is theirs"
        write(shell, FIRST)
        volumes.detach(server, volume)
        wait_for_size(shell, 0)
        api.revert_volume_to_snapshot(volume, second)
        volumes.reach(volume, "available")
        api.extend_volume(volume, 3)
        volume = volumes.reach(volume, "available")
        volumes.attach(server, volume)
        wait_for_size(shell, 3)
        assert read(shell) == SECOND
        volumes.detach(server, volume)
        wait_for_size(shell, 0)
    finally:
        shell.close()
        reached.delete(server)


def test_a_server_that_lives_on_a_volume_moves_and_its_volume_becomes_an_image(
    reached: Guests, volumes: Volumes
) -> None:
    api, compute = reached.admin.block_storage, reached.admin.compute
    begin = time.monotonic()
    volume = volumes.create("root", size=1, image_id=reached.image.id)
    measured("a volume out of an image", time.monotonic() - begin, "s")
    server, seconds = reached.boot("rooted", "node1", volume=volume.id, log_in=True)
    measured("a server on a volume, from the request to ACTIVE", seconds, "s")
    shell = reached.log_in(server)
    said(shell, "echo moved | sudo tee /etc/marker && sync")

    source = compute.get_server(server.id).compute_host
    begin = time.monotonic()
    compute.live_migrate_server(server, host=None, block_migration="auto")
    moved = reached.reach(server, "ACTIVE")
    measured("live migration of a server on a volume", time.monotonic() - begin, "s")
    assert moved.compute_host != source
    assert said(shell, "cat /etc/marker").strip() == "moved", "the login goes on, and so does its disk"
    shell.close()

    reached.delete(server)
    volumes.reach(volume, "available")
    made = api.upload_volume_to_image(volume, f"{PREFIX}-uploaded", disk_format="qcow2", container_format="bare")
    image_id = made["image_id"]
    try:

        def look() -> Any:
            seen = reached.admin.image.get_image(image_id)
            assert seen.status not in ("killed", "deleted")
            return seen if seen.status == "active" else Pending(seen.status)

        image = wait_until(look, "the volume's image", SECONDS, LOOK_EVERY)
        again, _ = reached.boot("again", "node2", image=image.id, log_in=True)
        shell = reached.log_in(again)
        assert said(shell, "cat /etc/marker").strip() == "moved"
        shell.close()
        reached.delete(again)
    finally:
        reached.admin.image.delete_image(image_id)
