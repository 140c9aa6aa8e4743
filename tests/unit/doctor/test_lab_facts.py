"""The checks of a lab, each against facts where it must find something; and a lab where none may."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from labctl.cloud.health import (
    CatalogEndpoint,
    Credentials,
    FailedServer,
    FloatingAddress,
    Health,
    ServedNetwork,
    StoredImage,
    UsedQuota,
)
from labctl.cloud.nodes.view import ComputeNode, Usage
from labctl.cloud.readiness import CloudView, ComputeService, Expected, NetworkAgent
from labctl.doctor.check import examine
from labctl.doctor.lab import servers, services, storage
from labctl.doctor.lab.facts import LabFacts, Service, ServiceLogin
from labctl.doctor.lab.gather import credentials_of, data_folders
from labctl.engine.inside import FileSystem
from labctl.errors import CloudCheckFailed
from labctl.findings import Fix

NETWORK = "9d1d5a1e-0000-4000-8000-000000000001"
ROUTER = "4f1a0000-0000-4000-8000-000000000002"
RULES = """\
-A neutron-l3-agent-OUTPUT -d 10.77.2.161/32 -j DNAT --to-destination 172.16.1.190
-A neutron-l3-agent-PREROUTING -d 10.77.2.161/32 -j DNAT --to-destination 172.16.1.190
-A neutron-l3-agent-float-snat -s 172.16.1.190/32 -j SNAT --to-source 10.77.2.161 --random-fully
"""
HEALTH = Health(
    endpoints=(CatalogEndpoint("e1", "image", "public", "http://10.77.0.1:9292"),),
    images=(StoredImage("i1", "guest", "sha512", "abc"), StoredImage("i2", "elsewhere", "sha512", "def")),
    quotas=(UsedQuota("demo", "instances", 1, 10), UsedQuota("demo", "key_pairs", 0, 0)),
    floating=(FloatingAddress("10.77.2.161", "172.16.1.190", ROUTER),),
    served=(ServedNetwork(NETWORK, "selfservice", (("net", True),)),),
)
VIEW = CloudView(
    (ComputeService("node1", "up", "enabled"),),
    frozenset({"node1"}),
    {"node1": frozenset({"VCPU", "MEMORY_MB", "DISK_GB"})},
    (NetworkAgent("node1", "neutron-linuxbridge-agent", True),),
)
WELL = LabFacts(
    name="lab",
    gateway="10.77.0.1",
    services=(Service("glance", "lab-glance", "healthy"), Service("identity", "lab-identity", "done")),
    expected=Expected(("node1",), {"node1": frozenset({"neutron-linuxbridge-agent"})}),
    view=VIEW,
    health=HEALTH,
    logins=(ServiceLogin("nova", "etc/nova/nova.conf"),),
    checksums={"i1": "abc"},
    broker_rights={"configure": ".*", "write": ".*", "read": ".*"},
    translations={ROUTER: RULES},
    dhcp_servers={"net": (NETWORK,)},
    file_systems={"glance": (FileSystem("/var/lib/glance", 1000, 10),)},
    database_seconds=0.04,
    filter_fault="",
)
NO_ROOM = FailedServer("s1", "big", "No valid host was found. There are not enough hosts available.")
FULL = ComputeNode("node1", "up", "enabled", usage={"VCPU": Usage(4, 3)})
DOWN = ComputeNode("node2", "down", "enabled")


CHECKS = (*services.CHECKS, *storage.CHECKS, *servers.CHECKS)
"""Those of networks have a test of their own."""


def with_service(state: str, **values: object) -> LabFacts:
    return replace(WELL, services=(Service("glance", "lab-glance", state, **values),))  # type: ignore[arg-type]


def with_health(**values: object) -> LabFacts:
    return replace(WELL, health=replace(HEALTH, **values))  # type: ignore[arg-type]


def with_view(**values: object) -> LabFacts:
    return replace(WELL, view=replace(VIEW, **values))  # type: ignore[arg-type]


def test_nothing_is_wrong_with_a_lab_that_is_well() -> None:
    assert examine(CHECKS, WELL) == ()


WRONG: Mapping[str, tuple[LabFacts, str, str]] = {
    "missing": (with_service("missing"), "service-dead", "glance is missing"),
    "unhealthy": (with_service("unhealthy", log=("no",)), "service-dead", "  no"),
    "filter": (
        replace(WELL, filter_fault="No such file or directory"),
        "lab-unfiltered",
        "table inet labctl-lab: No such file or directory",
    ),
    "apis": (replace(WELL, refusal=CloudCheckFailed("No answer")), "cloud-silent", "No answer"),
    "endpoint": (
        replace(
            with_health(endpoints=(CatalogEndpoint("e2", "image", "admin", "http://controller:9292"),)),
            unresolved=frozenset({"controller"}),
        ),
        "endpoint-host",
        "controller has no address here",
    ),
    "login": (replace(WELL, logins=(ServiceLogin("nova", "f", "401"),)), "service-user", "nova, of f: 401"),
    "broker": (
        replace(WELL, broker_rights={"configure": ".*", "write": "x"}),
        "broker-permissions",
        "may write x, read nothing",
    ),
    "compute": (with_view(services=(ComputeService("node1", "down", "enabled"),)), "node-not-ready", "is down"),
    "agent": (
        with_view(agents=(NetworkAgent("node1", "neutron-linuxbridge-agent", False),)),
        "node-not-ready",
        "neutron-linuxbridge-agent on node1 is not alive.",
    ),
    "cell": (with_view(hypervisors=frozenset()), "host-unmapped", "not mapped into the cell"),
    "auto": (
        with_view(services=(ComputeService("node1", "up", "disabled", "AUTO: Connection to libvirt lost"),)),
        "compute-disabled",
        "AUTO: Connection to libvirt lost",
    ),
    "full": (
        replace(WELL, file_systems={"glance": (FileSystem("/var/lib/glance", 1000, 9),)}),
        "disk-full",
        "glance: /var/lib/glance has 9 of 1000 KiB left",
    ),
    "slow": (replace(WELL, database_seconds=2.31), "database-slow", "took 2.3 s"),
    "schema": (replace(WELL, schemas_behind={"nova": "behind"}), "schema-behind", "behind"),
    "checksum": (replace(WELL, checksums={"i1": "xyz"}), "image-checksum", "guest (i1): sha512 xyz"),
    "room": (
        replace(with_health(failed=(NO_ROOM,)), nodes=(FULL, DOWN)),
        "no-valid-host",
        "node1: up; free: 1 of 4 vCPU",
    ),
    "node down": (replace(with_health(failed=(NO_ROOM,)), nodes=(FULL, DOWN)), "no-valid-host", "node2: it is down"),
    "error": (with_health(failed=(FailedServer("s2", "x", "Build failed"),)), "server-error", "x (s2): Build failed"),
    "quota": (
        with_health(quotas=(UsedQuota("demo", "cores", 20, 20),)),
        "quota",
        "cores of the project demo: 20 of 20",
    ),
    "namespace": (replace(WELL, translations={ROUTER: None}), "floating-ip-nat", "has no namespace"),
    "dnat": (replace(WELL, translations={ROUTER: RULES.splitlines()[2]}), "floating-ip-nat", "no rule of DNAT in"),
    "nat": (replace(WELL, translations={ROUTER: ""}), "floating-ip-nat", "no rule of DNAT and SNAT in"),
    "no agent": (
        with_health(served=(ServedNetwork(NETWORK, "n", (("net", False),)),)),
        "dhcp-missing",
        "net is not alive",
    ),
    "no dnsmasq": (replace(WELL, dhcp_servers={"net": ()}), "dhcp-missing", "no dnsmasq runs for it on net"),
    "two dnsmasq": (replace(WELL, dhcp_servers={"net": (NETWORK, NETWORK)}), "dhcp-twice", "2 dnsmasq processes"),
}


@pytest.mark.parametrize(("facts", "check", "says"), WRONG.values(), ids=WRONG)
def test_what_is_wrong(facts: LabFacts, check: str, says: str) -> None:
    findings = examine(CHECKS, facts)
    assert {finding.check for finding in findings} == {check}
    assert any(says in line for finding in findings for line in finding.evidence)


def test_every_check_has_a_case() -> None:
    assert {check for _, check, _ in WRONG.values()} == {one.id for one in CHECKS}


@pytest.mark.parametrize(
    ("state", "command"),
    [("failed", "start"), ("exited", "start"), ("paused", "unpause"), ("unhealthy", None), ("missing", None)],
)
def test_containers_that_do_not_run_can_be_started(state: str, command: str | None) -> None:
    (finding,) = examine(CHECKS, with_service(state))
    expected = Fix(f"{command} glance", ("docker", command, "lab-glance")) if command else None
    assert finding.fix == expected


def test_what_cannot_be_looked_at_is_not_wrong() -> None:
    assert examine(CHECKS, replace(WELL, checksums=None, broker_rights=None, translations={}, dhcp_servers={})) == ()
    assert examine(CHECKS, replace(WELL, file_systems={}, database_seconds=None)) == ()


def test_data_is_in_volumes_not_in_folders_of_the_machine() -> None:
    volumes = ["./etc/glance:/etc/glance:ro", "glance:/var/lib/glance", "/run/labctl/lab:/run/netns:rshared"]
    assert data_folders({"volumes": volumes}) == ("/var/lib/glance",)
    assert data_folders({}) == ()


def test_a_node_that_somebody_drained_is_not_wrong() -> None:
    assert examine(CHECKS, with_view(services=(ComputeService("node1", "up", "disabled", "labctl: drained"),))) == ()


def test_credentials_are_those_of_sections_with_a_password(tmp_path: Path) -> None:
    path = tmp_path / "nova.conf"
    path.write_text(
        "[keystone_authtoken]\nauth_type = password\nauth_url = http://k:5000\nusername = nova\npassword = p\n"
        "project_name = service\nregion_name = R\n[placement]\nauth_type = none\n[DEFAULT]\npassword = x\n"
    )
    assert tuple(credentials_of(path)) == (Credentials("http://k:5000", "nova", "p"),)
    assert "'p'" not in repr(Credentials("http://k:5000", "nova", "p"))
