"""`labctl doctor`: says nothing of a lab that is well, and names what was broken on purpose."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from openstack.connection import Connection

from labctl.cloud.waiting import Pending, wait_until
from labctl.errors import FINDINGS
from tests.lab.commands import docker, labctl
from tests.lab.conftest import Lab
from tests.lab.guests import Guests

OF_THE_MACHINE = {"kvm", "nested-virtualisation", "inotify", "address-range"}
"""Warnings that a machine may deserve, whatever its lab is like."""
SECONDS = 180.0
LOOK_EVERY = 1.0
IMAGE_FOLDER = "/var/lib/glance/images"


def examined(lab: Lab, *options: str) -> dict[str, Any]:
    ran = labctl("doctor", "--name", lab.name, "--json", *options)
    assert ran.code in (0, FINDINGS), str(ran)
    report: dict[str, Any] = json.loads(ran.out)
    assert report["healthy"] == (ran.code == 0), str(ran)
    assert report["left_out"] == [] or "cloud-silent" in found(report), str(ran)
    return report


def found(report: dict[str, Any]) -> dict[str, str]:
    """Check to all that it says, without those of the machine."""
    said: dict[str, str] = {}
    for finding in report["findings"]:
        if finding["check"] not in OF_THE_MACHINE:
            said[finding["check"]] = said.get(finding["check"], "") + "\n".join(finding["evidence"]) + "\n"
    return said


def wait_for(lab: Lab, is_there: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    """Looks until a report is as it should become; what it takes to get there is the lab's business."""

    def look() -> tuple[dict[str, str]] | Pending:
        said = found(examined(lab))
        return (said,) if is_there(said) else Pending(str(said))

    (said,) = wait_until(look, "the findings to be as they should become", SECONDS, LOOK_EVERY)
    return said


@contextmanager
def well_afterwards(lab: Lab) -> Iterator[None]:
    """Waits until nothing is wrong any more."""
    yield
    wait_for(lab, lambda said: not said)


@pytest.fixture(scope="module")
def server(guests: Guests, lab: Lab) -> Any:
    """A server with a floating IP, so that every check has something to look at."""
    guests.reach_from_host(lab.plan)
    server, _ = guests.boot("doctor", "node1")
    guests.floating_ip(server)
    return server


def test_a_lab_that_is_well_has_no_finding(lab: Lab, server: Any) -> None:
    said = wait_for(lab, lambda said: not said)
    assert said == {}


def test_an_endpoint_at_another_host(lab: Lab, admin: Connection) -> None:
    service = next(iter(admin.identity.services(type="image")))
    wrong = admin.identity.create_endpoint(
        service_id=service.id, interface="admin", url="http://controller.invalid:9292"
    )
    with well_afterwards(lab):
        try:
            said = found(examined(lab))
        finally:
            admin.identity.delete_endpoint(wrong)
    assert set(said) == {"endpoint-host"}
    assert f"http://controller.invalid:9292 (id {wrong.id})" in said["endpoint-host"]
    assert "controller.invalid has no address here" in said["endpoint-host"]


def test_services_that_do_not_run_are_named_and_started(lab: Lab) -> None:
    docker("stop", f"{lab.name}-net-dhcp-agent")
    docker("pause", f"{lab.name}-nova-scheduler")
    with well_afterwards(lab):
        said = found(examined(lab))
        assert "net-dhcp-agent is " in said["service-dead"]
        assert "nova-scheduler is paused" in said["service-dead"]
        mended = labctl("doctor", "--name", lab.name, "--fix")
        assert "start net-dhcp-agent: done\nunpause nova-scheduler: done" in mended.err, str(mended)


def test_an_api_that_does_not_answer(lab: Lab) -> None:
    docker("stop", f"{lab.name}-keystone")
    with well_afterwards(lab):
        said = found(examined(lab))
        docker("start", f"{lab.name}-keystone")
    assert "keystone is " in said["service-dead"]
    assert "cloud-silent" in said


def test_image_data_that_changed(lab: Lab, server: Any, admin: Connection) -> None:
    image = admin.image.create_image(
        "labctl-test-doctor", data=b"not a disk", disk_format="raw", container_format="bare", validate_checksum=False
    )
    with well_afterwards(lab):
        try:
            file = f"{IMAGE_FOLDER}/{image.id}"
            docker("exec", f"{lab.name}-glance", "sh", "-c", f"echo more >> {file}")
            said = found(examined(lab))
        finally:
            admin.image.delete_image(image)
    assert set(said) == {"image-checksum"}
    assert f"labctl-test-doctor ({image.id})" in said["image-checksum"]


def test_a_server_that_no_host_takes(lab: Lab, guests: Guests, server: Any, admin: Connection) -> None:
    flavor = admin.compute.create_flavor(name="labctl-test-doctor", ram=999999, vcpus=1, disk=1)
    big = admin.compute.create_server(
        name="labctl-test-doctor", image_id=guests.image.id, flavor_id=flavor.id, networks="none"
    )
    with well_afterwards(lab):
        try:
            said = wait_for(lab, lambda said: "no-valid-host" in said)
        finally:
            admin.compute.delete_server(big, force=True)
            admin.compute.delete_flavor(flavor)
    assert set(said) == {"no-valid-host"}
    assert f"labctl-test-doctor ({big.id}): No valid host was found" in said["no-valid-host"]
    assert "node1: up; free: " in said["no-valid-host"]
    assert "node2: up; free: " in said["no-valid-host"]


def test_a_quota_that_is_used_up(lab: Lab, server: Any, admin: Connection) -> None:
    project = admin.current_project_id
    admin.compute.update_quota_set(project, instances=1)
    with well_afterwards(lab):
        try:
            said = found(examined(lab))
        finally:
            admin.compute.revert_quota_set(project)
    assert said == {"quota": "instances of the project admin: 1 of 1 are used\n"}


def test_a_floating_ip_that_nothing_translates(lab: Lab, guests: Guests, server: Any) -> None:
    agent = f"{lab.name}-net-l3-agent"
    inside = ("exec", agent, "ip", "netns", "exec", f"qrouter-{guests.router.id}", "iptables", "-t", "nat")
    docker(*inside, "-F", "neutron-l3-agent-float-snat")
    docker(*inside, "-F", "neutron-l3-agent-PREROUTING")
    with well_afterwards(lab):
        said = found(examined(lab))
        docker("restart", agent)
    assert set(said) == {"floating-ip-nat"}
    assert "no rule of DNAT and SNAT in" in said["floating-ip-nat"]


def test_a_network_without_its_dhcp_server(lab: Lab, guests: Guests, server: Any) -> None:
    agent = f"{lab.name}-net-dhcp-agent"
    kill = f"kill $(cat /var/lib/neutron/dhcp/{guests.network.id}/pid)"
    with well_afterwards(lab):
        docker("exec", "--user", "0", agent, "sh", "-c", kill)
        said = found(examined(lab))
        docker("restart", agent)
    assert set(said) == {"dhcp-missing"}
    assert f"({guests.network.id}): no dnsmasq runs for it on net" in said["dhcp-missing"]
