"""`images: rbd`: images and servers' disks are in Ceph, and servers and volumes start as clones of a raw image."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection

from labctl.build.guest import export_guest
from labctl.cloud.waiting import Pending, wait_until
from labctl.lab.file import load_lab_file
from labctl.lab.state import cache_root
from tests.lab.commands import docker, labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import LOOK_EVERY, PREFIX, SECONDS, Guests


def up(lab: Lab, folder: Path, **settings: Any) -> float:
    """Brings the lab up with other settings; a lab file is YAML, and JSON is that too."""
    nodes = len(load_lab_file(lab.state.lab_file, (), check_files=False).nodes)
    file = folder / "lab.yaml"
    file.write_text(json.dumps({"version": 1, "name": lab.name, "nodes": nodes, **settings}))
    ran = labctl("up", "--file", str(file), timeout=600)
    assert ran.code == 0, str(ran)
    return ran.seconds


@pytest.fixture(scope="module", autouse=True)
def servers_on_ceph(lab: Lab, profiles_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The lab keeps images and disks in Ceph, and afterwards where it kept them before."""
    before = load_lab_file(lab.state.lab_file, (), check_files=False)
    folder = tmp_path_factory.mktemp("lab")
    seconds = up(lab, folder, images="rbd", **{"with": ["cinder"]})
    measured("labctl up, to images and servers on Ceph, of a lab that is up", seconds, "s")
    yield
    up(lab, folder, images=before.images, **{"with": list(before.profiles)})


@pytest.fixture(scope="module")
def raw_image(admin: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The guest's image without the form of a file, which Ceph has no use for: what it holds can be cloned."""
    guest = export_guest("labctl/guest:2024.2", cache_root() / "guests")
    folder = tmp_path_factory.mktemp("raw")
    docker(
        *("run", "--rm", "--user", "0", "--network", "none", "--volume", f"{guest.path.parent}:/guest:ro"),
        *("--volume", f"{folder}:/raw", "labctl/libvirt:2024.2"),
        *("qemu-img", "convert", "-O", "raw", f"/guest/{guest.path.name}", "/raw/guest"),
    )
    with (folder / "guest").open("rb") as data:
        image = admin.image.create_image(
            f"{PREFIX}-raw", data=data, disk_format="raw", container_format="bare", meta={"min_ram": guest.min_ram}
        )
    yield image
    admin.image.delete_image(image)


def parent(lab: Lab, disk: str) -> str | None:
    """What a disk in Ceph is a clone of, as POOL/NAME."""
    found = json.loads(docker("exec", f"{lab.name}-ceph-mon", "rbd", "info", "--format", "json", disk))
    return f"{found['parent']['pool']}/{found['parent']['image']}" if "parent" in found else None


def disks(lab: Lab, pool: str) -> list[str]:
    return json.loads(docker("exec", f"{lab.name}-ceph-mon", "rbd", "ls", "--format", "json", pool))


def test_a_server_starts_as_a_clone_and_moves_without_a_copy(lab: Lab, reached: Guests, raw_image: Any) -> None:
    assert raw_image.id in disks(lab, "images")
    server, seconds = reached.boot("clone", "node1", image=raw_image.id, log_in=True)
    measured("a server as a clone, from the request to ACTIVE", seconds, "s")
    assert parent(lab, f"vms/{server.id}_disk") == f"images/{raw_image.id}"
    shell = reached.log_in(server)
    assert shell.run("echo moved | sudo tee /etc/marker && sync", timeout=60).status == 0

    reached.admin.compute.live_migrate_server(server, host=None, block_migration="auto")
    assert reached.reach(server, "ACTIVE").compute_host == "node2"
    assert shell.run("cat /etc/marker", timeout=60).stdout.strip() == "moved"
    shell.close()

    reached.delete(server)
    assert disks(lab, "vms") == []


def test_a_server_starts_from_an_image_that_cannot_be_cloned(lab: Lab, guests: Guests) -> None:
    assert guests.image.disk_format == "qcow2"
    server, _ = guests.boot("copied", "node2")
    assert parent(lab, f"vms/{server.id}_disk") is None
    guests.delete(server)


def test_a_volume_starts_as_a_clone(lab: Lab, admin: Connection, raw_image: Any) -> None:
    api = admin.block_storage
    volume = api.create_volume(name=f"{PREFIX}-clone", size=1, image_id=raw_image.id)

    def look() -> Any:
        seen = api.get_volume(volume.id)
        assert not seen.status.startswith("error"), seen.status
        return seen if seen.status == "available" else Pending(seen.status)

    try:
        wait_until(look, "the volume", SECONDS, LOOK_EVERY)
        assert parent(lab, f"volumes/volume-{volume.id}") == f"images/{raw_image.id}"
    finally:
        api.delete_volume(volume)
        wait_until(
            lambda: api.find_volume(volume.id, ignore_missing=True) is None or Pending("it is there"),
            "the volume to be gone",
            SECONDS,
            LOOK_EVERY,
        )
