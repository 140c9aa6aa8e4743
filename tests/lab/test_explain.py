"""Servers that fail, each for its reason: `labctl explain` names it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from openstack.connection import Connection

from labctl.cloud.waiting import Pending, wait_until
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured

PREFIX = "labctl-test-explain"
SECONDS = 300.0
LOOK_EVERY = 0.5
EXPLAIN_LIMIT = 10.0
NO_NODE_HAS_IT = 1_000_000
"""GB of disk; nova has no quota for them."""


@dataclass(frozen=True)
class Failed:
    """Servers in ERROR, by why."""

    too_large: Any
    wrong_image: Any
    unbound: Any


@pytest.fixture(scope="module")
def failed(lab: Lab, admin: Connection) -> Iterator[Failed]:
    """Three servers; none comes as far as to need a guest that boots."""
    with ExitStack() as made:
        compute, network = admin.compute, admin.network
        images = {
            is_as: admin.image.create_image(
                f"{PREFIX}-{is_as}", data=b"this is no disk" * 1000, disk_format=is_as, container_format="bare"
            )
            for is_as in ("qcow2", "raw")
        }
        for image in images.values():
            made.callback(admin.image.delete_image, image)
        flavors = [
            compute.create_flavor(name=f"{PREFIX}-{disk}", ram=64, vcpus=1, disk=disk) for disk in (1, NO_NODE_HAS_IT)
        ]
        for flavor in flavors:
            made.callback(compute.delete_flavor, flavor)
        net = network.create_network(name=PREFIX)
        made.callback(network.delete_network, net)
        network.create_subnet(network_id=net.id, ip_version=4, cidr="192.168.78.0/24")
        # The lab has no mechanism driver for bare metal.
        port = network.create_port(name=PREFIX, network_id=net.id, binding_vnic_type="baremetal")
        made.callback(network.delete_port, port)

        def boot(name: str, flavor: Any, is_as: str, where: dict[str, str]) -> Any:
            server = compute.create_server(
                name=f"{PREFIX}-{name}", flavor_id=flavor.id, image_id=images[is_as].id, networks=[where]
            )
            made.callback(delete, admin, server)
            return server

        servers = Failed(
            too_large=boot("too-large", flavors[1], "raw", {"uuid": net.id}),
            wrong_image=boot("wrong-image", flavors[0], "qcow2", {"uuid": net.id}),
            unbound=boot("unbound", flavors[0], "raw", {"port": port.id}),
        )
        for server in vars(servers).values():
            wait_until(lambda server=server: in_error(admin, server), f"{server.name} to fail", SECONDS, LOOK_EVERY)
        yield servers


def in_error(admin: Connection, server: Any) -> bool | Pending:
    seen = admin.compute.get_server(server.id)
    return True if seen.status == "ERROR" and not seen.task_state else Pending(f"{seen.status}, {seen.task_state}")


def delete(admin: Connection, server: Any) -> None:
    admin.compute.delete_server(server)
    admin.compute.wait_for_delete(server, interval=LOOK_EVERY, wait=SECONDS)


def explained(lab: Lab, asked: str) -> dict[str, Any]:
    ran = labctl("explain", "--name", lab.name, "--json", asked)
    assert ran.code == 0, str(ran)
    measured(f"labctl explain, {lab.nodes} nodes", ran.seconds, "s", EXPLAIN_LIMIT)
    return json.loads(ran.out)


def test_no_node_has_the_room(lab: Lab, failed: Failed) -> None:
    story = explained(lab, failed.too_large.name)
    assert "No valid host was found" in story["record"][0]
    cause = story["cause"]
    assert cause["service"] == "nova-scheduler", cause
    assert "no allocation candidates" in cause["text"]
    assert f"{NO_NODE_HAS_IT} GB of disk" in cause["evidence"][0]
    assert [line.split()[0] for line in cause["evidence"][1:]] == [node.name for node in lab.node_list[1:]]


def test_an_image_that_is_no_disk(lab: Lab, failed: Failed) -> None:
    story = explained(lab, failed.wrong_image.id)
    cause = story["cause"]
    assert cause["service"] == f"{cause['node']}-nova-compute", cause
    assert "expected to be qcow2 but detected as raw" in cause["text"]
    assert "--disk-format" in cause["remedy"]
    services = {event["service"] for event in story["events"]}
    assert services >= {"nova-api", "placement", "glance", "neutron-server", cause["service"]}


def test_a_port_that_nothing_connects(lab: Lab, failed: Failed) -> None:
    """Nova says that all hosts were tried, and no more; the cause is in neutron's log, under an id of its own."""
    story = explained(lab, failed.unbound.name)
    assert "Failed to bind port" not in story["record"][0]
    cause = story["cause"]
    assert cause["service"] == "neutron-server", cause
    assert "Failed to bind port" in cause["text"]
    assert "vnic_type baremetal" in cause["text"]
    by_its_request = explained(lab, f"Failed (HTTP 500) (Request-ID: {story['requests'][0]})")
    assert by_its_request["cause"]["text"] == cause["text"]
    assert failed.unbound.id in " ".join(by_its_request["record"])


def test_a_request_that_was_refused(lab: Lab, admin: Connection) -> None:
    response = admin.compute.post("/servers/nobody/action", json={"os-start": None})
    story = explained(lab, response.headers["x-openstack-request-id"])
    assert story["cause"]["service"] == "nova-api"
    assert any('POST /v2.1/servers/nobody/action HTTP/1.1" status: 404' in one["text"] for one in story["events"])


def test_nobody_knows_it(lab: Lab) -> None:
    for asked, said in (("nobody", "no server"), ("req-00000000-0000-0000-0000-000000000000", "has logged anything")):
        ran = labctl("explain", "--name", lab.name, asked)
        assert ran.code == 8, str(ran)
        assert said in ran.err
