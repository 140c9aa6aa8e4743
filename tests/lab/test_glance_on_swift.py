"""Images in Swift: stored there, booted from there, the same to the last bit; those in files can still be read.

At the end the profile swift leaves the lab.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openstack
import pytest
from openstack.connection import Connection

from labctl.build.guest import export_guest
from labctl.lab.secrets import read_secrets
from labctl.lab.state import cache_root
from tests.conftest import Built
from tests.lab.conftest import Lab
from tests.lab.guests import Guests
from tests.lab.swift import SERVERS, md5, must

STORE = "glance"
"""The container that Glance keeps images in."""


def upload(admin: Connection, name: str, content: bytes) -> Any:
    return admin.image.create_image(name, data=content, disk_format="raw", container_format="bare")


def stores(admin: Connection, image: Any) -> str:
    """Where an image is, as Glance says; openstacksdk leaves this out."""
    return str(admin.image.get(f"/images/{image.id}").json()["stores"])


@pytest.fixture(scope="module")
def in_a_file(lab: Lab, built: Built, admin: Connection) -> Iterator[Any]:
    """An image from before."""
    image = upload(admin, "labctl-test-file", b"from before" * 100_000)
    yield image
    admin.image.delete_image(image)


@pytest.fixture(scope="module")
def on_swift(lab: Lab, built: Built, in_a_file: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    must("build", "--with", "swift", "--progress", "plain")
    folder = tmp_path_factory.mktemp("glance-on-swift")
    file = folder / "lab.yaml"
    about = f"name: {lab.name}\nnodes: {lab.nodes}\n"
    file.write_text(f"{about}with: [swift]\nglance: {{store: swift}}\n")
    must("up", "--file", str(file), "--progress", "json")
    yield
    file.write_text(f"{about}with: []\n")
    must("up", "--file", str(file), "--progress", "json")
    assert not set(SERVERS) & set(lab.containers())


@pytest.fixture(scope="module")
def as_glance(on_swift: None, lab: Lab) -> Iterator[Connection]:
    """The cloud, as the user of Glance in the project of the services."""
    connection = openstack.connect(
        load_yaml_config=False,
        load_envvars=False,
        auth_url=f"http://{lab.plan.gateway}:5000/v3",
        username="glance",
        password=read_secrets(lab.state.secrets)["password.user.glance"],
        project_name="service",
        user_domain_name="Default",
        project_domain_name="Default",
        region_name="RegionOne",
    )
    yield connection
    connection.session.session.close()
    connection.close()


@pytest.fixture(scope="module")
def servers(on_swift: None, admin: Connection) -> Iterator[Guests]:
    """What servers need; the image goes to Swift."""
    made = Guests(admin)
    try:
        made.prepare()
        yield made
    finally:
        made.remove()


def guest_file() -> Path:
    return export_guest("labctl/guest:2024.2", cache_root() / "guests").path


def test_an_image_is_stored_in_swift_and_read_from_there(
    servers: Guests, admin: Connection, as_glance: Connection
) -> None:
    image = admin.image.get_image(servers.image.id)
    assert stores(admin, image) == "swift"
    wanted = md5(guest_file().read_bytes())
    stored = as_glance.object_store.get_object(image.id, container=STORE)
    assert (stored.etag, image.checksum) == (wanted, wanted)
    assert md5(admin.image.download_image(image).content) == wanted


def test_a_server_boots_from_it(servers: Guests, lab: Lab) -> None:
    node = lab.node_list[-1].name
    server, _ = servers.boot("from-swift", node)
    assert server.status == "ACTIVE"


def test_an_image_from_before_can_still_be_read(on_swift: None, in_a_file: Any, admin: Connection) -> None:
    image = admin.image.get_image(in_a_file.id)
    assert stores(admin, image) == "file"
    assert md5(admin.image.download_image(image).content) == image.checksum


def test_an_image_that_is_deleted_leaves_nothing_in_swift(admin: Connection, as_glance: Connection) -> None:
    image = upload(admin, "labctl-test-short", b"not for long" * 100_000)
    assert image.id in {one.name for one in as_glance.object_store.objects(STORE)}
    admin.image.delete_image(image)
    assert image.id not in {one.name for one in as_glance.object_store.objects(STORE)}
