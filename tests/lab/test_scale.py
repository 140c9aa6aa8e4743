"""Nodes come and go while servers run; a removal that was killed half-way is finished by `up`."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from openstack.connection import Connection

from labctl.lab.names import node_folders
from tests.lab.commands import LABCTL, Ran, labctl, labelled
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import Guests

ADD_LIMIT = 20.0
REMOVE_LIMIT = 30.0
EXTRA = "node3"


def known(admin: Connection) -> dict[str, set[str]]:
    """What the cloud knows of compute nodes."""
    return {
        "services": {one.host for one in admin.compute.services(binary="nova-compute")},
        "hypervisors": {one.name for one in admin.compute.hypervisors()},
        "agents": {one.host for one in admin.network.agents()} - {"net"},
        "providers": {one.name for one in admin.placement.resource_providers()},
    }


def of_node(lab: Lab, name: str) -> set[str]:
    """What the machine has of a node: containers, volumes, and the folder that its containers share."""
    containers = {service for service in lab.containers() if service == name or service.startswith(f"{name}-")}
    folders = {str(path) for path in Path(node_folders(lab.name)).glob(name)}
    return containers | folders | {volume for volume in labelled(lab.name)["volumes"] if f"_{name}-" in volume}


def untouched(lab: Lab, but: str) -> dict[str, tuple[str, str]]:
    """The containers of everything else that run, and when they were started."""
    return {
        service: (one["Id"], one["State"]["StartedAt"])
        for service, one in lab.containers().items()
        if one["State"]["Running"] and service != but and not service.startswith(f"{but}-")
    }


def only(lab: Lab, admin: Connection, *names: str) -> None:
    """Nothing is there, nor known, of any other node."""
    assert known(admin) == {key: set(names) for key in ("services", "hypervisors", "agents", "providers")}
    assert {node.name for node in lab.node_list} == {"net", *names}
    for name in ("node1", "node2", EXTRA):
        assert bool(of_node(lab, name)) == (name in names), name
        assert (lab.state.rendered / "etc" / name).exists() == (name in names)


def ok(*arguments: str) -> Ran:
    ran = labctl(*arguments)
    assert ran.code == 0, str(ran)
    return ran


def listed(lab: Lab) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(ok("node", "list", "--name", lab.name, "--json").out)}


@pytest.fixture(autouse=True)
def two_nodes(lab: Lab) -> None:
    """What these tests start from; a lab that LABCTL_TEST_LAB names may be another."""
    if [node.name for node in lab.node_list] != ["net", "node1", "node2"]:
        pytest.skip("the lab does not have node1 and node2")


def test_a_node_comes_and_touches_nothing_else(lab: Lab, admin: Connection) -> None:
    before = untouched(lab, EXTRA)
    ran = ok("scale", "--name", lab.name, "--nodes", "3")
    try:
        only(lab, admin, "node1", "node2", EXTRA)
        assert untouched(lab, EXTRA) == before
    finally:
        removal = ok("node", "remove", "--name", lab.name, EXTRA)
    only(lab, admin, "node1", "node2")
    assert untouched(lab, EXTRA) == before
    measured("labctl scale, one node more", ran.seconds, "s", ADD_LIMIT)
    measured("labctl node remove, an empty node", removal.seconds, "s", REMOVE_LIMIT)


def test_servers_move_away_and_a_node_in_the_middle_goes(lab: Lab, admin: Connection, guests: Guests) -> None:
    running, _ = guests.boot("running", "node2")
    stopped, _ = guests.boot("stopped", "node2")
    admin.compute.stop_server(stopped)
    guests.reach(stopped, "SHUTOFF")
    ok("node", "add", "--name", lab.name)
    ok("node", "drain", "--name", lab.name, "node2")
    assert listed(lab)["node2"]["status"] == "disabled"
    assert listed(lab)["node2"]["servers"] == []
    # A node that is out of service is as its owner wants it: `up` leaves it so, and is done.
    assert "node2 (labctl: drained)" in ok("up", "--name", lab.name, "--progress", "plain").err
    ok("node", "remove", "--name", lab.name, "node2")
    only(lab, admin, "node1", EXTRA)
    assert yaml.safe_load(lab.state.lab_file.read_text())["nodes"] == ["node1", EXTRA]
    for server, status in ((running, "ACTIVE"), (stopped, "SHUTOFF")):
        seen = admin.compute.get_server(server.id)
        assert (seen.status, seen.compute_host in ("node1", EXTRA)) == (status, True)
        guests.delete(server)
    ok("node", "add", "--name", lab.name)
    only(lab, admin, "node1", "node2", EXTRA)
    assert listed(lab)["node2"]["status"] == "enabled"
    ok("scale", "--name", lab.name, "--nodes", "2")
    only(lab, admin, "node1", "node2")
    assert yaml.safe_load(lab.state.lab_file.read_text())["nodes"] == 2


def test_what_cannot_move_is_named_and_nothing_changes(lab: Lab, admin: Connection, guests: Guests) -> None:
    server, _ = guests.boot("asleep", "node2")
    admin.compute.suspend_server(server)
    guests.reach(server, "SUSPENDED")
    refused = labctl("node", "remove", "--name", lab.name, "node2")
    assert refused.code == 7, str(refused)
    assert f"{server.name} (SUSPENDED): it is suspended" in refused.err
    assert listed(lab)["node2"]["status"] == "enabled"
    only(lab, admin, "node1", "node2")
    fewer = labctl("up", "--name", lab.name, "--nodes", "1")
    assert fewer.code == 2, str(fewer)
    assert "labctl scale" in fewer.err
    guests.delete(server)


def test_a_removal_that_was_killed_is_finished_by_up(lab: Lab, admin: Connection) -> None:
    ok("node", "add", "--name", lab.name)
    with subprocess.Popen(
        [str(LABCTL), "node", "remove", "--name", lab.name, EXTRA], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        # As soon as the lab file says that the node is gone: everything of it is still there.
        while any(node.name == EXTRA for node in lab.node_list):
            assert running.poll() is None, "the removal ended before the node had left the lab file"
            time.sleep(0.01)
        running.kill()
    assert of_node(lab, EXTRA)
    assert EXTRA in known(admin)["services"]
    ok("up", "--name", lab.name)
    only(lab, admin, "node1", "node2")
