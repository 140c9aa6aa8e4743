"""The files of two published walkthroughs of OpenStack, as they were printed: their mistakes are found, by line.

`nova-network-at-first` are the files of the first one before its author found out what was wrong with them.
"""

import pytest

from labctl.doctor.check import examine
from labctl.doctor.checks import CONFIGURATION
from labctl.findings import Finding
from tests.unit.doctor.recorded_services import WALKTHROUGHS, examined, found, gather

VXLAN = examined(WALKTHROUGHS / "vxlan")
NOVA_NETWORK = examined(WALKTHROUGHS / "nova-network")
AT_FIRST = examined(WALKTHROUGHS / "nova-network-at-first")


@pytest.mark.parametrize(
    ("findings", "check", "places"),
    [
        (VXLAN, "auth-type", ["os-compute/neutron.conf:12:13"]),
        (VXLAN, "file-syntax", [f"os-controller/neutron.conf:{line}:1" for line in range(1, 8)]),
        (VXLAN, "file-removed", ["os-controller/glance-registry.conf:1:1"]),
        (VXLAN, "host-unknown", ["endpoints.txt:20:1"]),
        (VXLAN, "endpoint-twice", ["endpoints.txt:32:1"]),
        (VXLAN, "security-groups-off", ["os-compute/linuxbridge_agent.ini:6:1"]),
        (AT_FIRST, "keystone-authtoken-missing", ["controller/glance-api.conf:1:1"]),
        (AT_FIRST, "catalog-templated", ["controller/keystone.conf:6:10"]),
        (AT_FIRST, "comment-inline", ["controller/nova.conf:50:24"]),
        (NOVA_NETWORK, "keystone-authtoken-missing", []),
        (NOVA_NETWORK, "catalog-templated", []),
        (NOVA_NETWORK, "comment-inline", []),
        (NOVA_NETWORK, "service-user-of-another", ["controller/nova.conf:73:14"]),
        (NOVA_NETWORK, "option-section", ["controller/nova.conf:68:1"]),
    ],
)
def test_what_is_wrong_with_them(findings: tuple[Finding, ...], check: str, places: list[str]) -> None:
    assert found(findings, check) == places


def test_nothing_else_is_an_error_but_what_the_release_has_no_more() -> None:
    expected = {"auth-type", "file-syntax", "file-removed", "host-unknown", "endpoint-twice", "security-groups-off"}
    assert {finding.check for finding in VXLAN if finding.is_error} == expected | {"option-removed"}
    assert {finding.check for finding in VXLAN if not finding.is_error} == {"option-old"}


def successors(findings: tuple[Finding, ...]) -> dict[str, str]:
    """Option to what is said to be done instead."""
    said = [finding.evidence[0] for finding in findings if finding.check == "option-removed"]
    return {line.split(" any more: ")[0].split("no option ")[1]: line.split(" any more: ")[1] for line in said}


@pytest.mark.parametrize(
    ("findings", "option", "instead"),
    [
        (VXLAN, "nova_metadata_ip in [DEFAULT]", "[DEFAULT] nova_metadata_host"),
        (VXLAN, "vncserver_listen in [vnc]", "[vnc] server_listen"),
        (VXLAN, "os_region_name in [placement]", "[placement] region_name"),
        (VXLAN, "url in [neutron]", "[neutron] endpoint_override, or the catalog, which needs nothing here"),
        (NOVA_NETWORK, "rabbit_password in [DEFAULT]", "the password is part of [DEFAULT] transport_url"),
        (NOVA_NETWORK, "admin_user in [keystone_authtoken]", "[keystone_authtoken] username, with user_domain_name"),
        (NOVA_NETWORK, "idle_timeout in [database]", "[database] connection_recycle_time"),
        (NOVA_NETWORK, "multi_host in [DEFAULT]", "nova-network is gone and Neutron does its work; leave it out"),
    ],
)
def test_options_that_are_gone_have_successors(findings: tuple[Finding, ...], option: str, instead: str) -> None:
    assert successors(findings)[option] == instead


def test_the_wrong_endpoint_says_what_the_others_are() -> None:
    (finding,) = [finding for finding in VXLAN if finding.check == "host-unknown"]
    assert finding.evidence[0] == "the admin endpoint of image is http://controller:9292"
    assert "os-controller in 15 other line(s)" in finding.evidence[1]


def test_hosts_are_the_folders() -> None:
    facts = gather(WALKTHROUGHS / "vxlan")
    assert facts.host_names == {"os-controller", "os-compute"}
    assert len(facts.endpoints) == 16


def test_no_secret_is_shown() -> None:
    for folder, secret in (("nova-network", "123work"), ("nova-network-at-first", "123work")):
        facts = gather(WALKTHROUGHS / folder)
        assert secret not in str(examine(CONFIGURATION, facts))
        assert secret not in repr(facts.values)
