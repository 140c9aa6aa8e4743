"""`labctl stop` and `labctl start`: nothing runs in between, and a server comes back as it was."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import paramiko
from openstack.connection import Connection

from labctl.cloud.waiting import Pending, wait_until
from tests.lab.commands import docker, execute, labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import Guests

ANSWER_SECONDS = 60.0
STOP_LIMIT = 60.0


def pings(address: str) -> bool:
    command = ["docker", "run", "--rm", "--network", "host", "--user", "0", "labctl/client:2024.2"]
    return execute([*command, "ping", "-n", "-c", "1", "-W", "1", address]).code == 0


def host_key(address: str) -> str | Pending:
    """The key that a guest made at its first boot and keeps on its disk."""
    try:
        with paramiko.Transport((address, 22)) as transport:
            transport.start_client(timeout=10)
            return transport.get_remote_server_key().get_base64()
    except (OSError, EOFError, paramiko.SSHException) as error:
        return Pending(str(error))


def wait_for_key(address: str) -> str:
    wait_until(lambda: pings(address) or Pending("no reply"), f"{address} to answer", ANSWER_SECONDS, 0.2)
    return wait_until(lambda: host_key(address), f"the host key of {address}", ANSWER_SECONDS, 0.5)


def seen(admin: Connection, server: str) -> dict[str, Any]:
    """What shall be the same afterwards."""
    one = admin.compute.get_server(server)
    return {"status": one.status, "node": one.compute_host, "addresses": one.addresses}


def processes_of_guests(lab: str) -> list[str]:
    """The machine's guests of a lab, by their control group."""
    found = execute(
        ["sh", "-c", f"cat /sys/fs/cgroup/labctl/{lab}/*/cgroup.procs /sys/fs/cgroup/*/labctl/{lab}/*/cgroup.procs"]
    )
    return found.out.split()


def assert_reported_since_start(lab: Lab, admin: Connection) -> None:
    """What the cloud says of its nodes is not of processes that are gone, from before the stop."""
    started = {name: datetime.fromisoformat(one["State"]["StartedAt"]) for name, one in lab.containers().items()}
    for one in admin.compute.services(binary="nova-compute"):
        reported = datetime.fromisoformat(one.updated_at).replace(tzinfo=UTC)
        assert reported >= started[f"{one.host}-nova-compute"], one


def test_a_server_runs_again_as_it_was(lab: Lab, admin: Connection, guests: Guests) -> None:
    guests.reach_from_host(lab.plan)
    group = next(
        one for one in admin.network.security_groups(project_id=guests.network.project_id) if one.name == "default"
    )
    rule = admin.network.create_security_group_rule(
        security_group_id=group.id,
        direction="ingress",
        ethertype="IPv4",
        protocol="tcp",
        port_range_min=22,
        port_range_max=22,
    )
    try:
        server, _ = guests.boot("stop", "node1")
        off, _ = guests.boot("off", "node1")
        address = guests.floating_ip(server)
        admin.compute.stop_server(off)
        guests.reach(off, "SHUTOFF")
        key, before = wait_for_key(address), seen(admin, server.id)
        assert processes_of_guests(lab.name)

        ran = labctl("stop", "--name", lab.name)
        assert ran.code == 0, str(ran)
        measured("labctl stop", ran.seconds, "s", STOP_LIMIT)
        assert not docker("ps", "--quiet", "--filter", f"label=org.labctl.lab={lab.name}")
        assert not processes_of_guests(lab.name)
        assert lab.name not in execute(["ls", "/run/labctl"]).out.split()
        listed = json.loads(labctl("list", "--json").out)
        assert [one["state"] for one in listed if one["name"] == lab.name] == ["stopped"]
        assert json.loads(labctl("status", "--name", lab.name, "--json").out)["stopped"]
        again = labctl("stop", "--name", lab.name)
        assert again.code == 0, str(again)

        ran = labctl("start", "--name", lab.name, timeout=400)
        assert ran.code == 0, str(ran)
        begin = time.monotonic()
        assert_reported_since_start(lab, admin)
        assert wait_for_key(address) == key
        measured("a server answers after labctl start", time.monotonic() - begin, "s", ANSWER_SECONDS)
        assert seen(admin, server.id) == before
        assert seen(admin, off.id)["status"] == "SHUTOFF"
    finally:
        admin.network.delete_security_group_rule(rule)
