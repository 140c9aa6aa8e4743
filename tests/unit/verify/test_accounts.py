"""Which accounts tests share, and which tests do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from verify_examples import BOOT, LIST

from labctl.verify.accounts import accounts_file, can_share, plan_accounts
from labctl.verify.suite import TempestTest

RUN_WORKER = Path(__file__).parents[3] / "images/tempest/files/run-worker"
OWN = TempestTest("tempest.api.compute.servers.test_attach_interfaces.AttachInterfacesTest.test_add[id-1,smoke]")
RECORDER = """
import os, pathlib, sys
print(os.environ["TEMPEST_CONFIG"], *pathlib.Path(sys.argv[sys.argv.index("--load-list") + 1]).read_text().split())
sys.exit("FAILS" in os.environ and os.environ["TEMPEST_CONFIG"] == os.environ["FAILS"])
"""


def test_each_worker_has_two_members_and_an_admin() -> None:
    accounts = plan_accounts("verify-abc", 2, ["admin", "member", "reader"]).accounts
    assert [one.roles[0] for one in accounts] == ["member"] * 4 + ["admin"] * 2
    assert len({one.name for one in accounts}) == len({one.password for one in accounts}) == 6


def test_object_store_admins_are_there_where_the_cloud_knows_the_role() -> None:
    accounts = plan_accounts("verify-abc", 3, ["admin", "member", "reader", "ResellerAdmin"]).accounts
    assert [one.roles for one in accounts[-3:]] == [("ResellerAdmin",)] * 3


def test_passwords_are_not_shown() -> None:
    shared = plan_accounts("verify-abc", 1, [])
    assert shared.accounts[0].password not in repr(shared)


def test_tempest_reads_the_accounts() -> None:
    shared = plan_accounts("verify-abc", 1, [])
    first, _, last = yaml.safe_load(accounts_file(shared, "Default"))
    assert first == {
        "username": "verify-abc-account-1",
        "password": shared.accounts[0].password,
        "project_name": "verify-abc-account-1",
        "domain_name": "Default",
        "roles": ["member", "reader"],
        "resources": {"network": "verify-abc-accounts"},
    }
    assert last["roles"] == ["admin"]


def test_tests_can_share_unless_they_need_their_own() -> None:
    assert can_share((BOOT, OWN, LIST)) == (BOOT, LIST)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run, with what a worker is to run."""
    (tmp_path / "recorder.py").write_text(RECORDER)
    (tmp_path / "worker-1").write_text(f"{BOOT.id}\n{OWN.id}\n{LIST.id}\n")
    return tmp_path


def run_worker(folder: Path, **env: str) -> tuple[int, list[str]]:
    """Runs a worker; returns its exit code and what it ran with which configuration."""
    command = [sys.executable, RUN_WORKER, folder / "recorder.py", "discover", "--load-list", folder / "worker-1"]
    told = {"TEMPEST_CONFIG_DIR": str(folder), "TEMPEST_CONFIG": "tempest.conf"}
    ran = subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **told, **env},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout.splitlines()


def test_a_worker_runs_each_test_once_with_its_configuration(folder: Path) -> None:
    (folder / "shared.list").write_text(f"{LIST.id}\n{BOOT.id}\n")
    assert run_worker(folder) == (0, [f"tempest.conf {OWN.id}", f"shared.conf {BOOT.id} {LIST.id}"])
    assert sorted(path.name for path in folder.iterdir()) == ["recorder.py", "shared.list", "worker-1"]


@pytest.mark.parametrize("configuration", ["tempest.conf", "shared.conf"])
def test_a_worker_fails_where_one_part_fails(folder: Path, configuration: str) -> None:
    (folder / "shared.list").write_text(f"{BOOT.id}\n")
    code, ran = run_worker(folder, FAILS=configuration)
    assert (code, len(ran)) == (1, 2)


def test_a_worker_without_shared_tests_is_python(folder: Path) -> None:
    assert run_worker(folder) == (0, [f"tempest.conf {BOOT.id} {OWN.id} {LIST.id}"])
