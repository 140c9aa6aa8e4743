"""Two users of one engine: a lab is its owner's, and locks hold between them."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.errors import NotYours
from labctl.lab.file import LabFile, dump_lab_file
from labctl.lab.locks import Holder, locked
from labctl.lab.owner import this_user
from labctl.lab.state import LabState
from tests.conftest import ROOT, Built
from tests.engine.test_down import make, of_lab, there
from tests.lab.commands import Ran, docker, inspect, labctl
from tests.second_user import NAME, UID, SecondUser, only_root

HOLDER = """
import sys
from labctl.lab.locks import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""
CHANGING = [
    ("up",),
    ("up", "--dry-run"),
    ("scale", "--nodes", "2"),
    ("node", "add"),
    ("node", "remove", "node1"),
    ("node", "drain", "node1"),
    ("node", "drain", "node1", "--undo"),
    ("snapshot", "create", "x"),
    ("snapshot", "restore", "x"),
    ("snapshot", "delete", "x"),
    ("reset",),
    ("stop",),
    ("start",),
    ("down",),
    ("down", "--keep-data"),
    ("demo",),
    ("verify",),
    ("dev", "nova", "--stop"),
    ("fault", "inject", "nova-api-dead"),
    ("fault", "clear"),
    ("doctor", "--fix"),
]
"""What changes a lab. `exec` and `openstack` have `--name` elsewhere, and a test of their own."""


@pytest.fixture
def token() -> Iterator[str]:
    """A word that everything of a test has in its name; what is left of it is removed."""
    token = uuid.uuid4().hex[:8]
    yield token
    for kind in ("container", "network", "volume"):
        names = docker(kind, "ls", *(["--all"] if kind == "container" else []), "--filter", f"name={token}", "-q")
        for name in names.split():
            subprocess.run(["docker", kind, "rm", name], capture_output=True, check=False)


@pytest.fixture
def image(built: Built) -> str:
    return built.reference("memcached")


@pytest.fixture
def second(tmp_path_factory: pytest.TempPathFactory) -> SecondUser:
    return SecondUser.below(tmp_path_factory)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def somebodys(token: str, image: str, uid: int, name: str) -> str:
    """Things on the engine of a lab that belongs to a user; returns the lab's name."""
    lab = f"lab-{token}"
    make(token, image, *of_lab(lab), f"org.labctl.owner={uid}:{name}")
    return lab


def keep(lab: str) -> LabState:
    """A state folder, as of a lab of that name that this user had before."""
    state = LabState(lab)
    state.rendered.mkdir(parents=True)
    state.lab_file.write_text(
        dump_lab_file(LabFile.model_validate({"name": lab, "nodes": 2, "address_range": "10.253.240.0/22"}))
    )
    return state


def refused(ran: Ran, owner: str) -> None:
    assert ran.code == NotYours.exit_code, str(ran)
    assert f"belongs to another user of this machine: {owner}" in " ".join(ran.err.split()), str(ran)
    assert "Traceback" not in ran.err


ALL = {"container", "network", "volume"}


@pytest.mark.parametrize("command", CHANGING, ids=" ".join)
def test_what_changes_a_lab_refuses_one_of_another_user(token: str, image: str, command: tuple[str, ...]) -> None:
    lab = somebodys(token, image, UID + 1, "alice")
    keep(lab)
    refused(labctl(*command, "--name", lab), "alice")
    assert there(token) == ALL


@pytest.mark.parametrize("command", ["up", "down", "stop", "status"])
def test_so_it_is_where_this_user_never_had_a_lab_of_that_name(token: str, image: str, command: str) -> None:
    lab = somebodys(token, image, UID + 1, "alice")
    refused(labctl(command, "--name", lab), "alice")
    assert there(token) == ALL
    assert not LabState(lab).folder.exists()


def test_so_do_commands_inside_a_lab(token: str, image: str) -> None:
    lab = somebodys(token, image, UID + 1, "alice")
    keep(lab)
    refused(labctl("exec", "--name", lab, "keystone", "true"), "alice")
    refused(labctl("openstack", "--name", lab, "server", "list"), "alice")
    assert there(token) == ALL


def test_a_lab_of_another_user_is_removed_on_purpose(token: str, image: str) -> None:
    lab = somebodys(token, image, UID + 1, "alice")
    ran = labctl("down", "--name", lab, "--adopt")
    assert ran.code == 0, str(ran)
    assert there(token) == set()


def test_prune_leaves_what_is_left_of_other_users_labs(token: str, image: str) -> None:
    lab = somebodys(token, image, UID + 1, "alice")
    docker("rm", f"{token}-container")
    ran = labctl("prune", "--dry-run", "--volumes")
    (line,) = (line for line in ran.out.splitlines() if lab in line)
    assert line.startswith("stays: ")
    assert "alice" in line


def test_whose_a_lab_is_can_be_seen(token: str, image: str) -> None:
    lab = somebodys(token, image, UID + 1, "alice")
    keep(lab)
    (line,) = (line for line in labctl("list").out.splitlines() if lab in line)
    assert line.split()[-1] == "alice"
    assert "belongs to another user: alice" in labctl("status", "--name", lab).out


def test_a_label_does_not_write_to_the_terminal(token: str, image: str) -> None:
    make(token, image, *of_lab(f"lab-{token}"), "org.labctl.owner=0:\x1b[2Jroot")
    ran = labctl("down", "--name", f"lab-{token}")
    refused(ran, "somebody")
    assert "\x1b[2J" not in ran.err + labctl("list").out


@only_root
def test_a_second_user_is_refused_with_the_first_ones_name(token: str, image: str, second: SecondUser) -> None:
    me = this_user()
    lab = somebodys(token, image, me.uid, me.name)
    before = inspect("container", [f"{token}-container"])
    for command in (("up",), ("up", "--dry-run"), ("down",), ("scale", "--nodes", "2"), ("reset",), ("stop",)):
        refused(second.labctl(*command, "--name", lab), me.name)
    assert there(token) == ALL
    assert inspect("container", [f"{token}-container"]) == before
    assert not (second.home / "state").exists() or not list((second.home / "state").rglob("lab.yaml"))
    (line,) = (line for line in second.labctl("list").out.splitlines() if lab in line)
    assert line.split()[-1] == me.name
    ran = second.labctl("up", "--dry-run", "--adopt", "--name", lab, "--progress", "plain")
    assert ran.code == 0, str(ran)
    assert f"{me}'s lab {lab!r} is removed" in ran.err
    assert there(token) == ALL
    ran = second.labctl("down", "--name", lab, "--adopt")
    assert ran.code == 0, str(ran)
    assert there(token) == set()


@only_root
def test_what_a_second_user_makes_is_his(token: str, image: str, second: SecondUser) -> None:
    lab = somebodys(token, image, UID, NAME)
    refused(labctl("down", "--name", lab), NAME)
    ran = second.labctl("down", "--name", lab)
    assert ran.code == 0, str(ran)
    assert there(token) == set()


class Refused(Exception):  # noqa: N818
    """Raised instead of waiting."""


@only_root
@pytest.mark.parametrize("who_holds", ["the second user", "this user"])
def test_locks_hold_between_users_and_go_with_a_killed_process(second: SecondUser, who_holds: str) -> None:
    name = f"test-{uuid.uuid4().hex}"
    program = [sys.executable, "-c", HOLDER, name]
    environment = {**second.environment, "PYTHONPATH": str(ROOT)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    his = [*second.command, *program]
    told: list[Holder] = []

    def refuse(holder: Holder) -> None:
        told.append(holder)
        raise Refused

    if who_holds == "this user":
        with locked(name):
            waiter = subprocess.Popen(his, env=environment, **pipes)  # type: ignore[call-overload]
            # It can say nothing before the lock is free; it is asked for what it says only then.
            assert waiter.poll() is None
        out, _ = waiter.communicate("\n", timeout=20)
        assert out == "held\n"
        return
    with subprocess.Popen(his, env=environment, **pipes) as holder:  # type: ignore[call-overload]
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Refused), locked(name, refuse):
            pytest.fail("two hold it")
        assert [one.user.uid for one in told] == [UID]
        holder.kill()
        with locked(name):
            pass
