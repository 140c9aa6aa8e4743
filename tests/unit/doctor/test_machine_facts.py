"""The checks of the machine, each against facts where it must find something; and facts where none may."""

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from labctl.doctor.check import examine
from labctl.doctor.checks import MACHINE
from labctl.doctor.machine.facts import LabDevice, MachineFacts
from labctl.engine.host import Limits, kernel_limits, processor_flags
from labctl.engine.routes import Route
from labctl.errors import EngineUnavailable, MachineConflict
from tests.unit.doctor.test_iptables import REJECT_ALL

RANGE = IPv4Network("10.77.0.0/22")
ANY = "0.0.0.0"  # noqa: S104 - looked for, not bound
DEVICES = tuple(
    LabDevice(name, f"lab-{name[:4]}", subnet, 1500)
    for name, subnet in zip(("mgmt", "tunnel", "provider"), RANGE.subnets(new_prefix=24), strict=False)
)
UP = MachineFacts(
    lab="lab",
    nodes=2,
    is_up=True,
    limits=Limits(inotify_instances=128, open_files=5000, most_open_files=1000000, filters_bridges=True),
    available_mb=4000,
    cgroup_version="2",
    free_disk=(20000, "/var/lib/docker"),
    wanted_ports={5000: "keystone", 9696: "neutron-server"},
    asked_ports=(5000, 9696),
    taken_ports={5000: ANY},
    has_kvm=True,
    processor=frozenset({"vmx", "hypervisor"}),
    routes=(
        Route(IPv4Network("10.77.0.0/24"), "lab-mgmt"),
        Route(IPv4Network("172.17.0.0/16"), "docker0"),
        Route(IPv4Network("0.0.0.0/0"), "eth0"),
    ),
    address_range=RANGE,
    devices=DEVICES,
    filters=("", ""),
)
NOT_UP = replace(UP, is_up=False, available_mb=8000, taken_ports={22: ANY}, address_range=None, devices=DEVICES[:1])
VPN = Route(IPv4Network("10.77.1.0/25"), "tun0")
WIDE = Route(IPv4Network("10.0.0.0/8"), "tun0")
KVM_DEAD = "QEMU could not start a guest under KVM"


@pytest.mark.parametrize("facts", [UP, NOT_UP])
def test_nothing_is_wrong_with_a_machine_as_it_should_be(facts: MachineFacts) -> None:
    assert examine(MACHINE, facts) == ()


@pytest.mark.parametrize(
    ("facts", "check", "says"),
    [
        (replace(NOT_UP, refusal=EngineUnavailable("The Docker engine does not run")), "engine", "does not run"),
        (replace(UP, is_rootless=True), "engine-rootless", "rootless"),
        (replace(NOT_UP, available_mb=4000), "memory", "4100 MB are needed, 4000 MB are available"),
        (replace(UP, available_mb=200), "memory", "200 MB are available"),
        (replace(NOT_UP, free_disk=(2000, "/d")), "disk", "2100 MB are needed, 2000 MB are free"),
        (replace(UP, free_disk=(500, "/d")), "disk", "500 MB are free in /d"),
        (replace(NOT_UP, taken_ports={5000: "[::]"}), "ports", "keystone needs port 5000, and [::]:5000 is taken"),
        (replace(UP, nodes=20), "inotify", "max_user_instances is 128; a lab of 20 node(s) takes up to 177"),
        (replace(UP, limits=replace(UP.limits, open_files=990000)), "open-files", "990000 of 1000000"),
        (replace(UP, lacking=("VXLAN (vxlan)",)), "kernel-feature", "VXLAN (vxlan)"),
        (replace(UP, no_kvm=KVM_DEAD), "kvm", KVM_DEAD),
        (
            replace(UP, has_kvm=False, processor=frozenset({"hypervisor"})),
            "nested-virtualisation",
            "neither vmx nor svm",
        ),
        (replace(UP, routes=(VPN,)), "address-range", "10.77.1.0/25 leads to tun0"),
        (
            replace(NOT_UP, range_refusal=MachineConflict("No address range is free")),
            "address-range",
            "No address range",
        ),
        (replace(UP, filters=(REJECT_ALL, "")), "firewall-input", "tcp 5000, 9696 of 10.77.0.1"),
        (replace(NOT_UP, filters=("", REJECT_ALL)), "firewall-input", "iptables (legacy): -A INPUT -j REJECT"),
        (replace(UP, filters=(REJECT_ALL, "")), "firewall-forward", "drops udp 8472 within lab-tunn"),
        (replace(UP, devices=(replace(DEVICES[1], mtu=1400),)), "mtu", "lab-tunn (tunnel) has an MTU of 1400"),
    ],
)
def test_what_is_wrong(facts: MachineFacts, check: str, says: str) -> None:
    findings = [finding for finding in examine(MACHINE, facts) if finding.check == check]
    assert any(says in line for finding in findings for line in finding.evidence)


def test_every_check_has_a_case() -> None:
    (cases,) = [mark.args[1] for mark in test_what_is_wrong.pytestmark]  # type: ignore[attr-defined]
    assert {case[1] for case in cases} == {one.id for one in MACHINE}


def test_a_wider_route_is_in_nobodys_way() -> None:
    (finding,) = examine(MACHINE, replace(UP, routes=(WIDE,)))
    assert (finding.check, finding.is_error) == ("address-range", False)


def test_bridges_that_are_not_filtered_need_no_rules() -> None:
    facts = replace(UP, filters=(REJECT_ALL, ""), limits=replace(UP.limits, filters_bridges=False))
    assert {finding.check for finding in examine(MACHINE, facts)} == {"firewall-input"}


def test_limits_are_read(tmp_path: Path) -> None:
    for name, text in (("fs/file-nr", "7320\t0\t2466170\n"), ("fs/inotify/max_user_instances", "128\n")):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert kernel_limits(tmp_path) == Limits(128, 7320, 2466170, filters_bridges=False)
    (tmp_path / "net/bridge").mkdir(parents=True)
    (tmp_path / "net/bridge/bridge-nf-call-iptables").write_text("1\n")
    assert kernel_limits(tmp_path).filters_bridges


def test_flags_of_the_first_processor(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nflags\t\t: fpu vmx\n\nprocessor\t: 1\nflags\t\t: fpu svm\n")
    assert processor_flags(path) == {"fpu", "vmx"}
    path.write_text("processor : 0\n")
    assert processor_flags(path) == frozenset()
