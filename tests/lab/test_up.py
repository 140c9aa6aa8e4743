"""A lab that is up: services healthy, nodes usable, little privilege, and a second `up` that changes nothing."""

import json
import stat
from typing import Any

import pytest
from openstack.connection import Connection

from labctl.lab.addresses import Role
from labctl.render.compose import FILTER
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.machine import Snapshot, compare, probe, snapshot

SECOND_UP_LIMIT = 5.0
AGENTS = {"neutron-linuxbridge-agent", "neutron-l3-agent", "neutron-dhcp-agent", "neutron-metadata-agent"}
SEEN_OF_A_LAB = {
    *("interfaces", "routes", "firewall", "namespaces", "mounts", "listeners", "contained", "cgroups"),
    *("containers", "networks", "volumes", "state folders"),
}
FILTER_MAY = {"NET_ADMIN": 12, "DAC_OVERRIDE": 1}
"""What the service that puts the packet filter in place may do: capabilities and their numbers (linux/capability.h)."""


def test_every_service_is_healthy(lab: Lab) -> None:
    ran = labctl("status", "--name", lab.name, "--json")
    assert ran.code == 0, str(ran)
    status = json.loads(ran.out)
    assert status["ready"] is True
    assert status["nodes"] == lab.nodes
    states = {service: one["state"] for service, one in status["services"].items()}
    assert set(states) == set(lab.containers())
    jobs = {"identity"}
    assert {service for service, state in states.items() if state == "done"} == jobs
    assert {service: state for service, state in states.items() if service not in jobs and state != "healthy"} == {}


def test_every_node_can_take_servers(lab: Lab, admin: Connection) -> None:
    computes = {node.name for node in lab.node_list} - {"net"}
    assert len(computes) == lab.nodes
    services = [(one.host, one.state, one.status) for one in admin.compute.services(binary="nova-compute")]
    assert sorted(services) == sorted((name, "up", "enabled") for name in computes)
    hypervisors = {(one.name, one.state) for one in admin.compute.hypervisors(details=True)}
    assert hypervisors == {(name, "up") for name in computes}
    for provider in admin.placement.resource_providers():
        inventories = {one.resource_class for one in admin.placement.resource_provider_inventories(provider.id)}
        assert inventories >= {"VCPU", "MEMORY_MB", "DISK_GB"}, provider.name


def test_every_agent_is_alive(lab: Lab, admin: Connection) -> None:
    agents = {(one.host, one.binary, one.is_alive) for one in admin.network.agents()}
    expected = {(node.name, "neutron-linuxbridge-agent", True) for node in lab.node_list}
    assert agents == expected | {("net", binary, True) for binary in AGENTS}


def test_progress_is_one_event_a_line(lab: Lab) -> None:
    if lab.up is None:
        pytest.skip("the lab of LABCTL_TEST_LAB was not brought up by this run")
    events = lab.up.events
    assert all(isinstance(one["event"], str) and one["at"] > 0 for one in events)
    finished = [one["step"] for one in events if one["event"] == "step_finished"]
    assert "wait until the cloud is usable" in finished


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    def identity(one: dict[str, Any]) -> tuple[str, str, int]:
        return one["Id"], one["State"]["StartedAt"], one["RestartCount"]

    def files() -> dict[str, tuple[int, int]]:
        paths = [path for path in lab.state.folder.rglob("*") if path.is_file()]
        return {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in paths}

    before, written = {name: identity(one) for name, one in lab.containers().items()}, files()
    ran = labctl("up", "--name", lab.name, "--progress", "json")
    assert ran.code == 0, str(ran)
    assert {name: identity(one) for name, one in lab.containers().items()} == before
    assert files() == written
    measured("labctl up, nothing changed", ran.seconds, "s", SECOND_UP_LIMIT)


def test_files_are_private(lab: Lab) -> None:
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (lab.state.folder, *lab.state.folder.rglob("*"))}
    wrong = {str(path): oct(mode) for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)}
    assert wrong == {}
    assert len(modes) > 50


def test_only_libvirt_is_privileged(lab: Lab) -> None:
    privileged = {service for service, one in lab.containers().items() if one["HostConfig"]["Privileged"]}
    assert privileged == {f"{node.name}-libvirt" for node in lab.node_list if node.role is Role.COMPUTE}


def test_the_control_plane_may_do_nothing_it_need_not(lab: Lab) -> None:
    for service, one in lab.containers().items():
        host = one["HostConfig"]
        sources = [mount["Source"] for mount in one["Mounts"] if mount["Type"] == "bind"]
        allowed = (f"{lab.state.rendered}/etc/",)
        if lab.of_node(service):
            allowed += (f"/run/labctl/{lab.name}/{service.partition('-')[0]}",)
        if service.endswith("-libvirt"):
            allowed += ("/sys/fs/cgroup",)
        assert all(source.startswith(allowed) for source in sources), f"{service}: {sources}"
        if lab.of_node(service):
            continue
        assert host["CapDrop"] == ["ALL"], service
        if service == FILTER:
            assert {name.removeprefix("CAP_") for name in host["CapAdd"]} == set(FILTER_MAY), service
        else:
            assert one["Config"]["User"].split(":")[0] not in ("", "0", "root"), service
            assert not host["CapAdd"], service
        assert host["ReadonlyRootfs"], service
        assert "no-new-privileges:true" in host["SecurityOpt"], service
        assert not host["PidMode"], service
        assert host["IpcMode"] == "private", service
        assert not host["Devices"], service


def test_the_processes_of_the_control_plane_have_no_rights(lab: Lab) -> None:
    services = {one["Id"]: service for service, one in lab.containers().items() if not lab.of_node(service)}
    seen = set()
    for process in probe("containers")["processes"]:
        service = services.get(process["container"])
        if service:
            seen.add(service)
            text = f"{service}: {process['command']}"
            may = sum(1 << number for number in FILTER_MAY.values()) if service == FILTER else 0
            assert ("0" in process["uids"]) == (service == FILTER), text
            assert int(process["capabilities"], 16) == may, text
            assert process["no_new_privileges"] == "1", text
    assert seen == set(services.values()) - {"identity"}


def test_the_comparison_of_the_machine_sees_a_lab(lab: Lab, machine_before: Snapshot) -> None:
    """A comparison that is blind would find nothing after `down` either."""
    if lab.up is None:
        pytest.skip("the machine was not looked at before the lab of LABCTL_TEST_LAB")
    differences = compare(machine_before, snapshot("with-lab"))
    assert {line.split(":")[0] for line in differences if ": left behind: " in line} == SEEN_OF_A_LAB
