"""Snapshots: what was there comes back and works, what came later is gone; a reset leaves nothing."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from openstack.connection import Connection

from labctl.cloud.connection import connect
from labctl.cloud.waiting import Pending, wait_until
from labctl.lab.addresses import Role
from tests.lab.commands import LABCTL, Ran, docker, execute, labctl, labelled
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import Guests
from tests.lab.machine import OBSERVER

RESTORE_LIMIT = 30.0
RESET_LIMIT = 20.0
SNAPSHOT = "with-server"
GUEST_SECONDS = 300.0
"""A guest boots anew after a restore, on a machine that may do other things."""


def ok(*arguments: str) -> Ran:
    ran = labctl(*arguments, timeout=600)
    assert ran.code == 0, str(ran)
    return ran


def answers(address: str) -> None:
    """Waits until a server answers pings."""

    # From a container: a user may lack both the command and ICMP sockets.
    command = ["docker", "run", "--rm", "--network", "host", "--user", "0", "--entrypoint", "ping", OBSERVER]

    def ping() -> bool | Pending:
        sent = execute([*command, "-n", "-c", "1", "-W", "1", address])
        return True if sent.code == 0 else Pending(sent.out + sent.err)

    wait_until(ping, f"{address} to answer", GUEST_SECONDS, 0.5)


def unpaused(lab: Lab) -> bool:
    return not any(one["State"]["Paused"] for one in lab.containers().values())


def started(lab: Lab) -> dict[str, str]:
    """Service to when it was started last."""
    return {service: one["State"]["StartedAt"] for service, one in lab.containers().items()}


def assert_most_went_on(lab: Lab, before: dict[str, str]) -> None:
    """Data was put back under services that went on: it was not the way of starting everything anew."""
    went_on = {service for service, since in started(lab).items() if before.get(service) == since}
    agents = {f"{node.name}-linuxbridge-agent" for node in lab.node_list}
    assert went_on >= {"rabbitmq", "keystone", "neutron-server", "nova-api", *agents}
    assert not went_on & {"mariadb", "placement", "nova-scheduler", "net-l3-agent", "node1-nova-compute"}


@contextmanager
def connected(lab: Lab) -> Iterator[Connection]:
    """The cloud, as its admin, with a token of its own."""
    connection = connect(lab.state.clouds_yaml, f"{lab.name}-admin")
    try:
        yield connection
    finally:
        connection.session.session.close()
        connection.close()


def assert_empty(lab: Lab) -> None:
    """Nothing that somebody made is in the cloud."""
    with connected(lab) as connection:
        assert not list(connection.compute.servers(all_projects=True))
        assert not list(connection.compute.flavors())
        assert not list(connection.image.images())
        assert not list(connection.network.networks())
        assert not list(connection.network.routers())
        assert not list(connection.network.ports())
        for provider in connection.placement.resource_providers():
            assert not connection.placement.get(f"/resource_providers/{provider.id}/allocations").json()["allocations"]


def of_node(lab: Lab, node: str) -> str:
    return ", ".join(one for one in made_by_neutron(lab) if one.startswith(f"{node}: "))


def made_by_neutron(lab: Lab) -> list[str]:
    """Namespaces and links in a lab's nodes besides the nodes' own."""
    found = []
    for node in lab.node_list:
        container = f"{lab.name}-{node.name}"
        spaces = docker("exec", container, "ls", "/run/netns").split()
        found += [f"{node.name}: {name}" for name in spaces if name != "node"]
        for line in docker("exec", container, "in-node", "ip", "-oneline", "link", "show").splitlines():
            link = line.split(": ")[1].partition("@")[0]
            own = {"lo", "mgmt0", "tunnel0", "uplink", "provider0", "provider-port"}
            if link not in own and not link.startswith("port-"):
                found.append(f"{node.name}: {link}")
    return found


def guests_of(lab: Lab) -> set[str]:
    """The guests that the libvirts of a lab know, running or not."""
    asked = [f"{lab.name}-{node.name}-libvirt" for node in lab.node_list if node.role is Role.COMPUTE]
    command = ("virsh", "--quiet", "--connect", "qemu:///system", "list", "--all", "--uuid")
    return {uuid for container in asked for uuid in docker("exec", container, *command).split()}


def running_guests(lab: Lab) -> int:
    """The processes of guests in the lab's control group."""
    # libvirt's container sees the machine's processes.
    look = (
        'for one in /proc/[0-9]*; do grep -q "^qemu" $one/comm && grep -q "labctl/$0/" $one/cgroup && echo; done; true'
    )
    return docker("exec", f"{lab.name}-node1-libvirt", "bash", "-c", look, lab.name).count("\n")


@pytest.fixture(scope="module")
def guests(admin: Connection) -> Guests:
    """What servers need; the reset at the end takes it away."""
    made = Guests(admin)
    made.prepare()
    return made


@pytest.fixture(scope="module")
def server(lab: Lab, guests: Guests) -> tuple[Any, str]:
    """A server, and the floating IP that it answers on."""
    guests.reach_from_host(lab.plan)
    made, _ = guests.boot("kept", "node1")
    address = guests.floating_ip(made)
    answers(address)
    return made, address


def test_a_snapshot_is_taken_and_the_lab_goes_on(lab: Lab, server: tuple[Any, str]) -> None:
    ran = ok("snapshot", "create", "--name", lab.name, SNAPSHOT)
    measured("labctl snapshot create", ran.seconds, "s")
    assert unpaused(lab)
    answers(server[1])
    listed = json.loads(ok("snapshot", "list", "--name", lab.name, "--json").out)
    assert [one["name"] for one in listed] == [SNAPSHOT]
    assert "secrets" not in listed[0]


def test_a_name_is_given_once(lab: Lab) -> None:
    ran = labctl("snapshot", "create", "--name", lab.name, SNAPSHOT)
    assert (ran.code, "Traceback" in ran.err) == (2, False), str(ran)


def test_a_killed_snapshot_leaves_none_and_up_heals_the_lab(lab: Lab) -> None:
    command = [str(LABCTL), "snapshot", "create", "--name", lab.name, "killed", "--progress", "json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as begun:
        assert begun.stderr
        next(line for line in begun.stderr if '"paused"' in line)
        begun.kill()
    assert [one["name"] for one in json.loads(ok("snapshot", "list", "--name", lab.name, "--json").out)] == [SNAPSHOT]
    ok("up", "--name", lab.name)
    assert unpaused(lab)
    ok("snapshot", "create", "--name", lab.name, "killed")
    ok("snapshot", "delete", "--name", lab.name, "killed")
    kept = [name for name in labelled(lab.name)["volumes"] if "snapshot-" in name]
    assert len(kept) == 1, kept


def test_a_restore_brings_the_server_back_and_takes_the_later_one(
    lab: Lab, server: tuple[Any, str], guests: Guests
) -> None:
    kept, address = server
    later, _ = guests.boot("later", "node2")
    before = started(lab)
    ran = ok("snapshot", "restore", "--name", lab.name, SNAPSHOT)
    measured("labctl snapshot restore", ran.seconds, "s", RESTORE_LIMIT)
    servers = {one.id: one for one in guests.admin.compute.servers()}
    assert kept.id in servers
    assert later.id not in servers
    assert_most_went_on(lab, before)
    guests.reach(kept, "ACTIVE")
    answers(address)
    assert guests_of(lab) == {kept.id}
    assert running_guests(lab) == 1
    # A port that is gone has left nothing on its node, and that of the server is plugged in.
    wait_until(
        lambda: not of_node(lab, "node2") or Pending(of_node(lab, "node2")), "node2 to be empty", GUEST_SECONDS, 0.5
    )
    assert ": brq" in of_node(lab, "node1")


def test_one_file_brings_the_lab_back_where_nothing_is_of_it(lab: Lab, server: tuple[Any, str], tmp_path: Path) -> None:
    file = tmp_path / "snapshot.tar"
    measured("labctl snapshot export", ok("snapshot", "export", "--name", lab.name, SNAPSHOT, str(file)).seconds, "s")
    measured("size of an exported snapshot", file.stat().st_size / 10**6, "MB")
    assert file.stat().st_mode & 0o777 == 0o600
    cut = tmp_path / "cut.tar"
    shutil.copy(file, cut)
    os.truncate(cut, file.stat().st_size // 2)
    ok("down", "--name", lab.name)
    for arguments in (("import", str(cut)), ("import", str(tmp_path / "none"))):
        ran = labctl("snapshot", *arguments)
        assert (ran.code, "Traceback" in ran.err) == (2, False), str(ran)
    assert labelled(lab.name) == {"containers": [], "networks": [], "volumes": []}
    assert not lab.state.folder.exists()
    measured("labctl snapshot import", ok("snapshot", "import", str(file)).seconds, "s")
    ran = ok("snapshot", "restore", "--name", lab.name, SNAPSHOT)
    measured("labctl snapshot restore, nothing there", ran.seconds, "s", RESTORE_LIMIT)
    answers(server[1])


def test_a_snapshot_of_other_images_is_refused_before_anything_is_changed(lab: Lab) -> None:
    file = lab.state.folder / "snapshots" / f"{SNAPSHOT}.yaml"
    before = file.read_text()
    digest = yaml.safe_load(before)["images"]["labctl/memcached:2024.2"]
    file.write_text(before.replace(digest, "a" * 64))
    try:
        began = {service: one["State"]["StartedAt"] for service, one in lab.containers().items()}
        ran = labctl("snapshot", "restore", "--name", lab.name, SNAPSHOT)
        assert ran.code == 2, str(ran)
        assert "labctl/memcached" in ran.err
        assert began == {service: one["State"]["StartedAt"] for service, one in lab.containers().items()}
    finally:
        file.write_text(before)


def test_a_reset_without_its_checkpoint_starts_everything_anew(lab: Lab) -> None:
    # Its checkpoint went with `down`.
    ran = ok("reset", "--name", lab.name)
    measured("labctl reset, everything anew", ran.seconds, "s")
    assert "starts anew" in ran.err
    assert_empty(lab)
    assert [one["name"] for one in json.loads(ok("snapshot", "list", "--name", lab.name, "--json").out)] == [SNAPSHOT]
    ok("snapshot", "delete", "--name", lab.name, SNAPSHOT)
    assert not [name for name in labelled(lab.name)["volumes"] if "snapshot-" in name]


def test_a_reset_puts_an_empty_cloud_back_under_services_that_go_on(lab: Lab) -> None:
    with connected(lab) as connection:
        guests = Guests(connection)
        guests.prepare()
        guests.reach_from_host(lab.plan)
        server, _ = guests.boot("lost", "node2")
        answers(guests.floating_ip(server))
    assert made_by_neutron(lab)
    before = started(lab)
    ran = ok("reset", "--name", lab.name)
    measured("labctl reset", ran.seconds, "s", RESET_LIMIT)
    assert_most_went_on(lab, before)
    assert_empty(lab)
    assert guests_of(lab) == set()
    assert running_guests(lab) == 0
    wait_until(
        lambda: not made_by_neutron(lab) or Pending(str(made_by_neutron(lab))), "empty nodes", GUEST_SECONDS, 0.5
    )
    ok("demo", "--name", lab.name)
    # Once more, right after the demo.
    ok("reset", "--name", lab.name)
    assert_empty(lab)
