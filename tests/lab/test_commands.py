"""The commands for people who use a lab, and configuration that they add to it."""

import json
import sys
from pathlib import Path

from openstack.connection import Connection

from tests.conftest import RELEASE
from tests.lab.commands import execute, labctl
from tests.lab.conftest import Lab

INSTANCES = 7
DROP_IN = f"[quota]\ninstances = {INSTANCES}\n"
NOT_FOUND = 8


def test_the_openstack_client_works(lab: Lab, tmp_path: Path) -> None:
    ran = labctl("openstack", "--name", lab.name, "token", "issue", "--format", "json", cwd=tmp_path)
    assert ran.code == 0, str(ran)
    assert json.loads(ran.out)["id"]


def test_the_openstack_clients_exit_code_is_labctls(lab: Lab, tmp_path: Path) -> None:
    ran = labctl("openstack", "--name", lab.name, "server", "show", "nosuch", cwd=tmp_path)
    assert ran.code == 1, str(ran)
    assert "nosuch" in ran.err


def test_openrc_is_for_other_clients(lab: Lab) -> None:
    exports = labctl("openrc", "--name", lab.name)
    assert exports.code == 0, str(exports)
    program = "import openstack; print(openstack.connect().current_project.name)"
    client = execute(["sh", "-c", f'{exports.out}\nexec "$0" -W ignore -c "$1"', sys.executable, program])
    assert client.code == 0, str(client)
    assert client.out.strip() == "demo"


def test_logs_show_what_a_service_said(lab: Lab) -> None:
    ran = labctl("logs", "--name", lab.name, "neutron-server", "--tail", "5")
    assert ran.code == 0, str(ran)
    assert len((ran.out + ran.err).splitlines()) >= 5


def test_an_unknown_service_is_named_with_the_nearest(lab: Lab) -> None:
    for command in (("logs",), ("exec",)):
        ran = labctl(*command, "--name", lab.name, "nova-conductr")
        assert ran.code == NOT_FOUND, str(ran)
        assert "did you mean 'nova-conductor'?" in ran.err


def test_exec_runs_a_command_in_a_service(lab: Lab) -> None:
    ran = labctl("exec", "--name", lab.name, "node1", "hostname")
    assert (ran.code, ran.out.strip()) == (0, "node1"), str(ran)
    failed = labctl("exec", "--name", lab.name, "node1", "sh", "-c", "exit 42")
    assert failed.code == 42, str(failed)


def test_list_shows_the_lab(lab: Lab) -> None:
    ran = labctl("list")
    assert ran.code == 0, str(ran)
    count = len(lab.containers())
    lines = [line.split() for line in ran.out.splitlines()]
    assert [lab.name, str(lab.nodes), RELEASE, str(lab.plan.range), "-", "ready", f"{count}/{count}", "-"] in lines
    listed = {one["name"]: one for one in json.loads(labctl("list", "--json").out)}
    assert (listed[lab.name]["state"], listed[lab.name]["services_ready"]) == ("ready", count)


def test_configuration_of_the_users_own_reaches_the_service(lab: Lab, admin: Connection, tmp_path: Path) -> None:
    """A drop-in file that the lab file names; only the services that read it are started anew."""
    (tmp_path / "dropin.conf").write_text(DROP_IN)
    lab_file = tmp_path / "lab.yaml"
    lab_file.write_text(f"name: {lab.name}\nnodes: {lab.nodes}\nconfiguration:\n  nova: [dropin.conf]\n")
    before = {service: (one["Id"], one["State"]["StartedAt"]) for service, one in lab.containers().items()}
    ran = labctl("up", "--file", str(lab_file), "--progress", "json")
    assert ran.code == 0, str(ran)
    after = {service: (one["Id"], one["State"]["StartedAt"]) for service, one in lab.containers().items()}
    assert set(before) == set(after)
    restarted = {service for service in after if after[service] != before[service]}
    readers = {service for service in after if service.startswith("nova-") or service.endswith("-nova-compute")}
    # A job runs again whenever Compose does; it sees that its work is done.
    assert restarted - {"identity"} == readers
    # The file is there for all of them, and the value is what nova-api works by.
    for service in sorted(readers):
        shown = labctl("exec", "--name", lab.name, service, "sh", "-c", "cat /etc/nova/nova.conf.d/*.conf")
        assert shown.out == DROP_IN, f"{service}: {shown}"
    limits = admin.compute.get("/limits").json()["limits"]["absolute"]
    assert limits["maxTotalInstances"] == INSTANCES
