"""`labctl up` for a lab that is up: the plan says what will be done, and it is what is done, and nothing else."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lab.commands import LABCTL, Ran, docker, inspect, labctl, labelled
from tests.lab.conftest import Lab

DROP_IN = (
    "[placement]\nallocation_conflict_retry_count = 12\n[keystone_authtoken]\nmemcache_secret_key = not-to-be-seen\n"
)

Identity = tuple[str, str]


def identities(lab: Lab) -> dict[str, Identity]:
    """Service to its container and when that started."""
    return {name: (one["Id"], one["State"]["StartedAt"]) for name, one in lab.containers().items()}


def differ(before: dict[str, Identity], after: dict[str, Identity]) -> set[str]:
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def all_there_is(lab: Lab) -> dict[str, Any]:
    """Everything that `up` could change."""
    paths = [path for path in lab.state.folder.rglob("*") if path.is_file()]
    files = {str(path): (path.stat().st_mtime_ns, path.stat().st_ino) for path in paths}
    return {
        "containers": identities(lab),
        "files": files,
        **{key: sorted(ids) for key, ids in labelled(lab.name).items()},
    }


def plan_of(ran: Ran) -> dict[str, Any]:
    """The plan among the events of a command."""
    said = ran.out if "--dry-run" in ran.command else ran.err
    events = [json.loads(line) for line in said.splitlines()]
    return next(one for one in events if one["event"] == "plan_made")


def ids(plan: dict[str, Any]) -> list[str]:
    return [step["id"] for step in plan["steps"]]


@pytest.fixture
def up(lab: Lab, tmp_path: Path) -> Iterator[Callable[..., Ran]]:
    """Runs `up` with drop-ins; afterwards the lab is what it was."""
    original = yaml.safe_load(lab.state.lab_file.read_text())
    file = tmp_path / "lab.yaml"

    def run(*options: str, **configuration: str) -> Ran:
        for service, text in configuration.items():
            (tmp_path / f"{service}.conf").write_text(text)
        # Beside what tests before these have configured.
        added = {name: [f"{name}.conf"] for name in configuration}
        wanted = {**original, "configuration": {**(original.get("configuration") or {}), **added}}
        file.write_text(yaml.safe_dump(wanted))
        return labctl("up", "--file", str(file), "--progress", "json", *options)

    yield run
    file.write_text(yaml.safe_dump(original))
    ran = labctl("up", "--file", str(file))
    assert ran.code == 0, str(ran)


def test_nothing_is_planned_for_a_lab_that_is_as_wanted(lab: Lab) -> None:
    ran = labctl("up", "--name", lab.name, "--dry-run")
    assert (ran.code, ran.out) == (0, "Nothing to do: everything is there, as wanted and ready.\n"), str(ran)


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(lab: Lab, up: Callable[..., Ran]) -> None:
    before = all_there_is(lab)
    ran = up("--dry-run", placement=DROP_IN)
    assert ran.code == 0, str(ran)
    assert ids(plan_of(ran)) == ["write:files", "recreate:placement", "wait:cloud"]
    assert all_there_is(lab) == before


def test_a_dry_run_of_a_new_lab_leaves_no_trace(lab: Lab) -> None:
    ran = labctl("up", "--name", "never-made", "--dry-run")
    assert ran.code == 0, str(ran)
    assert "create network mgmt — there is none" in ran.out
    assert not lab.state.folder.with_name("never-made").exists()
    assert labelled("never-made") == {"containers": [], "networks": [], "volumes": []}


def test_a_drop_in_restarts_the_services_that_read_it_and_shows_the_difference_first(
    lab: Lab, up: Callable[..., Ran]
) -> None:
    before = identities(lab)
    ran = up(placement=DROP_IN)
    assert ran.code == 0, str(ran)
    assert differ(before, identities(lab)) == {"placement"}
    assert "not-to-be-seen" not in ran.err + ran.out
    differences = {one["path"]: one["lines"] for one in plan_of(ran)["differences"]}
    shown = differences["etc/placement/placement.conf.d/00-placement.conf"]
    assert [line[1:] for line in shown[1:]] == DROP_IN.replace("not-to-be-seen", "<secret>").splitlines()
    events = [one["event"] for one in ran.events]
    assert events.index("plan_made") < events.index("planned_step_started")
    begun = [one["id"] for one in ran.events if one["event"] == "planned_step_started"]
    ended = [one["id"] for one in ran.events if one["event"] == "planned_step_finished"]
    assert begun == ended == ids(plan_of(ran)) == ["write:files", "recreate:placement", "wait:cloud"]


def test_containers_that_were_killed_paused_and_removed_come_back_and_no_other_is_touched(lab: Lab) -> None:
    before = identities(lab)
    docker("kill", f"{lab.name}-glance")
    docker("pause", f"{lab.name}-placement")
    docker("rm", "--force", f"{lab.name}-memcached")
    ran = labctl("up", "--name", lab.name, "--progress", "json")
    assert ran.code == 0, str(ran)
    assert ids(plan_of(ran)) == ["create:memcached", "start:glance", "resume:placement", "wait:cloud"]
    assert differ(before, identities(lab)) == {"glance", "memcached"}


def killed_at(step: str, *arguments: str) -> None:
    """Runs `up` and kills it when a step of the plan begins; its children too, as an engine or a machine would."""
    command = [str(LABCTL), "up", *arguments, "--progress", "json"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr
        for line in running.stderr:
            event = json.loads(line)
            if event["event"] == "planned_step_started" and event["id"] == step:
                running.send_signal(signal.SIGKILL)
                break
        else:
            pytest.fail(f"{step} never began")
        running.communicate(timeout=30)
    assert running.returncode == -signal.SIGKILL


@pytest.mark.parametrize("step", ["write:files", "recreate:placement", "wait:cloud"])
def test_a_change_that_was_killed_is_finished_by_the_next_up(
    lab: Lab, up: Callable[..., Ran], tmp_path: Path, step: str
) -> None:
    before = identities(lab)
    assert up("--dry-run", placement=DROP_IN).code == 0  # writes the lab file
    killed_at(step, "--file", str(tmp_path / "lab.yaml"))
    ran = up(placement=DROP_IN)
    assert ran.code == 0, str(ran)
    assert differ(before, identities(lab)) == {"placement"}
    assert lab.containers()["placement"]["State"]["Health"]["Status"] == "healthy"
    again = up("--dry-run", placement=DROP_IN)
    assert ids(plan_of(again)) == []


def test_a_leftover_of_a_replacement_that_compose_did_not_finish(lab: Lab) -> None:
    """Compose gives the new container a passing name, `HASH_NAME`, until the old one is gone."""
    before = identities(lab)
    [old] = inspect("container", [f"{lab.name}-memcached"])
    labels = [word for key, value in old["Config"]["Labels"].items() for word in ("--label", f"{key}={value}")]
    docker("create", *labels, "--name", f"{old['Id'][:12]}_{lab.name}-memcached", old["Image"], "true")
    ran = labctl("up", "--name", lab.name, "--progress", "json")
    assert ran.code == 0, str(ran)
    assert ids(plan_of(ran)) == ["remove-leftover:memcached", "wait:cloud"]
    assert differ(before, identities(lab)) == set()
