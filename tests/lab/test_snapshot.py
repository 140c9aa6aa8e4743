"""Snapshots: what was there comes back and works, what came later is gone; a reset leaves nothing."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from openstack.connection import Connection

from labctl.cloud.connection import connect
from labctl.cloud.waiting import Pending, wait_until
from tests.lab.commands import LABCTL, Ran, labctl, labelled
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import Guests

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

    def ping() -> bool | Pending:
        sent = subprocess.run(["ping", "-c", "1", "-W", "1", address], capture_output=True, check=False)
        return True if sent.returncode == 0 else Pending("no answer")

    wait_until(ping, f"{address} to answer", GUEST_SECONDS, 0.5)


def unpaused(lab: Lab) -> bool:
    return not any(one["State"]["Paused"] for one in lab.containers().values())


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
    later, _ = guests.boot("later", "node1")
    ran = ok("snapshot", "restore", "--name", lab.name, SNAPSHOT)
    measured("labctl snapshot restore", ran.seconds, "s", RESTORE_LIMIT)
    servers = {one.id: one for one in guests.admin.compute.servers()}
    assert kept.id in servers
    assert later.id not in servers
    guests.reach(kept, "ACTIVE")
    answers(address)


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


def test_after_a_reset_the_cloud_is_empty_and_works(lab: Lab) -> None:
    ran = ok("reset", "--name", lab.name)
    measured("labctl reset", ran.seconds, "s", RESET_LIMIT)
    connection = connect(lab.state.clouds_yaml, f"{lab.name}-admin")
    assert not list(connection.compute.servers(all_projects=True))
    assert not list(connection.network.networks())
    assert not list(connection.image.images())
    connection.session.session.close()
    connection.close()
    assert [one["name"] for one in json.loads(ok("snapshot", "list", "--name", lab.name, "--json").out)] == [SNAPSHOT]
    ok("demo", "--name", lab.name)
    ok("snapshot", "delete", "--name", lab.name, SNAPSHOT)
    assert not [name for name in labelled(lab.name)["volumes"] if "snapshot-" in name]
