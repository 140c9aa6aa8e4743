"""The way to a lab that is going to be changed: it is this user's, or is taken over on purpose."""

import ast
import uuid
from pathlib import Path
from typing import cast

import docker
import pytest

from labctl.engine import lab_lock as module
from labctl.engine.lab_lock import lab_lock, other_owner, refuse_others
from labctl.engine.remains import Remains
from labctl.errors import NotYours
from labctl.events import Event, Note
from labctl.lab.locks import locked
from labctl.lab.owner import Owner, this_user

CLIENT = cast(docker.DockerClient, None)
ALICE = Owner(4_000_000_001, "alice")
PACKAGE = Path(module.__file__).parents[1]


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


def belongs_to(monkeypatch: pytest.MonkeyPatch, owner: Owner | None) -> None:
    monkeypatch.setattr(module, "remains_of", lambda *_: Remains(containers=("c",), owner=owner))


@pytest.mark.parametrize("owner", [None, this_user()])
def test_a_lab_of_mine_or_of_nobody_is_let_in(monkeypatch: pytest.MonkeyPatch, name: str, owner: Owner | None) -> None:
    belongs_to(monkeypatch, owner)
    entered = False
    with lab_lock(CLIENT, name, lambda _: None):
        entered = True
    assert entered
    assert other_owner(CLIENT, name) is None


def test_a_lab_of_another_user_is_refused_with_his_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    belongs_to(monkeypatch, ALICE)
    with pytest.raises(NotYours, match="alice"), lab_lock(CLIENT, name, lambda _: None):
        pytest.fail("it was let in")
    refuse_others(CLIENT, name, adopt=True)
    with lab_lock(CLIENT, name, lambda _: None, adopt=True):
        assert other_owner(CLIENT, name) == ALICE


def test_a_lab_of_another_user_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    belongs_to(monkeypatch, ALICE)
    with locked(f"lab-{name}"), pytest.raises(NotYours), lab_lock(CLIENT, name, lambda _: None):
        pytest.fail("it was let in")


def test_who_is_waited_for_is_said(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    belongs_to(monkeypatch, None)
    said: list[str] = []

    class Enough(Exception):  # noqa: N818
        pass

    def emit(event: Event) -> None:
        assert isinstance(event, Note)
        said.append(event.text)
        raise Enough

    with locked(f"lab-{name}"), pytest.raises(Enough), lab_lock(CLIENT, name, emit):
        pytest.fail("it was let in")
    assert str(this_user()) in said[0]
    assert name in said[0]


def test_nothing_locks_a_lab_without_asking_whose_it_is() -> None:
    """`locked` is called with a lab's name by `lab_lock` alone."""
    found = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "locked"
        and ast.unparse(node.args[0]).lstrip("f").strip("'\"").startswith("lab-")
    }
    assert found == {"engine/lab_lock.py"}
