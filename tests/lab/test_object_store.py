"""The profile swift: it comes to a lab that is up, keeps objects, leaves, and comes back with them.

`test_glance_on_swift` goes on with the lab as this leaves it.
"""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from openstack.connection import Connection
from openstack.exceptions import HttpException

from labctl.cloud.connection import connect
from tests.conftest import Built
from tests.lab.commands import Ran, docker
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.swift import SERVERS, identities, listening_everywhere, md5, must

CONTAINER = "labctl-test"
CONTENT = bytes(range(256)) * 4096 * 8
"""8 MB."""
TOO_LARGE = 413
UNAUTHORIZED = 401


@dataclass(frozen=True)
class Came:
    """The lab, just after swift has come.

    Attributes:
        ran: The command that brought it.
        before: What ran before.
        after: What runs now.
        wildcards: The ports that something listens on for all addresses since.
    """

    ran: Ran
    before: dict[str, Any]
    after: dict[str, Any]
    wildcards: set[int]


@pytest.fixture(scope="module")
def swift(lab: Lab, built: Built) -> Came:
    must("build", "--with", "swift", "--progress", "plain")
    before, ports = identities(lab), listening_everywhere()
    ran = must("up", "--name", lab.name, "--with", "swift", "--progress", "json")
    return Came(ran, before, identities(lab), listening_everywhere() - ports)


@pytest.fixture(scope="module")
def demo(swift: Came, lab: Lab) -> Iterator[Connection]:
    """The cloud, as the user demo, who is an ordinary member of a project."""
    connection = connect(lab.state.clouds_yaml, lab.name)
    yield connection
    connection.session.session.close()
    connection.close()


@pytest.fixture(scope="module")
def container(demo: Connection) -> Iterator[str]:
    """A container with one object."""
    demo.object_store.create_container(CONTAINER)
    demo.object_store.upload_object(CONTAINER, "one", data=CONTENT)
    yield CONTAINER
    for one in list(demo.object_store.objects(CONTAINER)):
        demo.object_store.delete_object(one, container=CONTAINER)
    demo.object_store.delete_container(CONTAINER)


def test_only_what_concerns_it_changes(swift: Came) -> None:
    assert set(swift.after) == {*swift.before, *SERVERS}
    changed = {name for name in swift.before if swift.before[name] != swift.after[name]}
    # Glance is told of the new store; the job writes users, roles and endpoints; its port is opened.
    assert changed == {"glance", "identity", "filter"}
    measured("labctl up --with swift, over a lab that is up", swift.ran.seconds, "s")


def test_nothing_of_it_listens_on_all_addresses(swift: Came) -> None:
    assert swift.wildcards == set()


def test_the_lab_says_what_it_has(swift: Came, lab: Lab) -> None:
    assert json.loads(must("status", "--name", lab.name, "--json").out)["profiles"] == ["swift"]
    assert "swift" in must("list").out


def test_a_member_keeps_objects(demo: Connection, container: str) -> None:
    assert demo.object_store.download_object("one", container=container) == CONTENT
    assert demo.object_store.get_object("one", container=container).etag == md5(CONTENT)
    assert [one.name for one in demo.object_store.objects(container)] == ["one"]


def test_an_object_in_segments(demo: Connection, container: str) -> None:
    endpoint = demo.object_store.get_endpoint()
    parts = [CONTENT[:4_000_000], CONTENT[4_000_000:]]
    manifest = []
    for number, part in enumerate(parts):
        demo.object_store.upload_object(container, f"part{number}", data=part)
        manifest.append({"path": f"/{container}/part{number}", "etag": md5(part), "size_bytes": len(part)})
    answer = demo.session.put(f"{endpoint}/{container}/whole?multipart-manifest=put", json=manifest)
    assert answer.status_code == 201, answer.text
    assert demo.object_store.download_object("whole", container=container) == CONTENT


def test_a_signed_address_opens_one_object_and_no_other(demo: Connection, container: str) -> None:
    endpoint, key = demo.object_store.get_endpoint(), "a key of the test"
    demo.session.post(endpoint, headers={"X-Account-Meta-Temp-URL-Key": key})
    base, _, account = endpoint.partition("/v1/")
    expires = int(time.time()) + 3600

    def get(name: str, signed: str) -> requests.Response:
        text = f"GET\n{expires}\n/v1/{account}/{container}/{signed}"
        signature = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
        query = f"temp_url_sig={signature}&temp_url_expires={expires}"
        return requests.get(f"{base}/v1/{account}/{container}/{name}?{query}", timeout=60)

    assert get("one", signed="one").content == CONTENT
    assert get("one", signed="other").status_code == UNAUTHORIZED


def test_a_quota_of_a_container_is_kept(demo: Connection, container: str) -> None:
    endpoint = f"{demo.object_store.get_endpoint()}/{container}"
    demo.session.post(endpoint, headers={"X-Container-Meta-Quota-Count": "1"})
    with pytest.raises(HttpException) as caught:
        demo.object_store.upload_object(container, "more", data=b"more")
    assert caught.value.response.status_code == TOO_LARGE
    demo.session.post(endpoint, headers={"X-Remove-Container-Meta-Quota-Count": "x"})
    demo.object_store.upload_object(container, "more", data=b"more")


def test_it_says_what_it_can_do(demo: Connection) -> None:
    base = demo.object_store.get_endpoint().partition("/v1/")[0]
    features = requests.get(f"{base}/info", timeout=60).json()
    assert {
        *("account_quotas", "bulk_upload", "container_quotas", "container_sync", "formpost", "slo"),
        *("staticweb", "symlink", "tempurl", "versioned_writes"),
    } <= set(features)


def test_objects_outlive_the_containers_of_the_servers(demo: Connection, container: str, lab: Lab) -> None:
    docker("rm", "--force", *(one["Id"] for name, one in lab.containers().items() if name in SERVERS))
    must("up", "--name", lab.name, "--progress", "json")
    assert demo.object_store.download_object("one", container=container) == CONTENT


def test_it_leaves_and_comes_back_with_its_objects(
    demo: Connection, container: str, lab: Lab, admin: Connection
) -> None:
    must("up", "--name", lab.name, "--without", "swift", "--progress", "json")
    assert not set(SERVERS) & set(lab.containers())
    assert "object-store" not in {one.type for one in admin.identity.services()}
    assert not [one for one in admin.identity.endpoints() if ":8080/" in one.url]
    assert admin.identity.find_user("swift") is None
    must("up", "--name", lab.name, "--with", "swift", "--progress", "json")
    assert demo.object_store.download_object("one", container=container) == CONTENT
