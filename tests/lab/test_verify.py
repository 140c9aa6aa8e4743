"""`labctl verify` against a real lab: what passes, what fails and what shows why, and that nothing stays."""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import pytest
from openstack.connection import Connection

from tests.conftest import Built
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.test_demo import holdings

PASSES = "tempest.api.compute.test_versions.TestVersions.test_list_api_versions"
FAILS = "tempest.api.compute.keypairs.test_keypairs.KeyPairsV2TestJSON.test_keypair_create_delete"
MAKES_NETWORKS = "tempest.api.network.test_networks.NetworksTest.test_create_update_delete_network_subnet"
NEEDS_OWN_ACCOUNTS = (
    "tempest.api.compute.servers.test_attach_interfaces.AttachInterfacesUnderV243Test.test_add_remove_fixed_ip"
)
SKIPS = "tempest.api.volume.test_versions.VersionsTest.test_list_versions"

QUOTAS = "/os-quota-class-sets/default"


@pytest.fixture
def no_key_pairs(admin: Connection) -> Iterator[None]:
    """A cloud in which nobody may have a key pair."""
    before = admin.compute.get(QUOTAS).json()["quota_class_set"]["key_pairs"]

    def allow(count: int) -> None:
        answer = admin.compute.put(QUOTAS, json={"quota_class_set": {"key_pairs": count}})
        assert answer.ok, answer.text

    allow(0)
    try:
        yield
    finally:
        allow(before)


def accounts(admin: Connection) -> set[str]:
    """Users, projects, roles and domains."""
    keystone = admin.identity
    return {
        f"{type(one).__name__} {one.name}"
        for kind in (keystone.users, keystone.projects, keystone.roles, keystone.domains)
        for one in kind()
    }


def test_results_have_their_reasons_and_nothing_stays(
    lab: Lab, built: Built, admin: Connection, no_key_pairs: None, tmp_path: Path
) -> None:
    before, had = holdings(lab), accounts(admin)
    suite = "|".join(one.replace(".", r"\.") for one in (PASSES, FAILS, SKIPS))
    files = ("--junit", str(tmp_path / "junit.xml"), "--html", str(tmp_path / "report.html"))
    ran = labctl("verify", "--name", lab.name, "--suite", suite, "--progress", "json", *files, timeout=600)
    assert ran.code == 11, str(ran)

    found = json.loads(ran.out.splitlines()[-1])
    assert (found["passed"], found["failed"], found["skipped"]) == (1, 1, 1), str(ran)
    assert [skip["missing_service"] for skip in found["skips"]] == ["cinder"]
    (failure,) = found["failures"]
    assert failure["test"] == FAILS
    # Nova refuses the key pair, and says so in its log under the id of the request.
    (line,) = [one for one in failure["log"] if "Quota exceeded" in one]
    assert any(request in line for request in failure["requests"])
    assert line.startswith("nova-api: ")

    cases = {case.attrib["name"]: case for case in ElementTree.parse(tmp_path / "junit.xml").iter("testcase")}  # noqa: S314
    assert cases[FAILS.rpartition(".")[2]].find("failure") is not None
    assert failure["requests"][0] in (tmp_path / "report.html").read_text()
    assert holdings(lab) == before
    assert accounts(admin) == had


def test_classes_share_accounts(lab: Lab, built: Built, admin: Connection) -> None:
    before, had = holdings(lab), accounts(admin)
    suite = "|".join(one.replace(".", r"\.") for one in (PASSES, MAKES_NETWORKS, NEEDS_OWN_ACCOUNTS))
    told = ("--suite", suite, "--shared-accounts", "--parallel", "1", "--progress", "json")
    ran = labctl("verify", "--name", lab.name, *told, timeout=600)
    assert ran.code == 0, str(ran)
    found = json.loads(ran.out.splitlines()[-1])
    assert (found["passed"], found["failed"], found["skipped"]) == (3, 0, 0), str(ran)

    # Tempest tells which accounts it gave to a class, and which it made for one.
    log = (lab.state.folder / "verify/tempest.log").read_text()
    assert re.search(r"allocated creds:\n.*verify-[0-9a-f]+-account-1", log)
    assert "tempest-NetworksTest-" not in log
    assert "tempest-AttachInterfacesUnderV243Test-" in log
    assert holdings(lab) == before
    assert accounts(admin) == had


def test_a_suite_without_tests_is_refused(lab: Lab, built: Built) -> None:
    ran = labctl("verify", "--name", lab.name, "--suite", "no_such_test")
    assert ran.code == 2, str(ran)
    assert "no_such_test" in ran.err
