"""`up --adopt`: what is there of another user's goes first, and only where the new lab can be made."""

from typing import Any, cast

import docker
import pytest

from labctl.bringup import up as module
from labctl.bringup.up import remove_others
from labctl.catalog.folders import catalog_folders
from labctl.errors import BadInput
from labctl.events import Event, Note
from labctl.lab.file import LabFile
from labctl.lab.owner import Owner

CLIENT = cast(docker.DockerClient, None)
ALICE = Owner(4_000_000_001, "alice")


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done, in order; nothing is really."""
    done: list[str] = []

    def note(word: str) -> Any:
        return lambda *_: done.append(word)

    monkeypatch.setattr(module, "other_owner", lambda *_: ALICE)
    monkeypatch.setattr(module, "propose", note("propose"))
    monkeypatch.setattr(module, "remove_lab", note("remove"))
    return done


def test_it_is_said_and_removed(done: list[str]) -> None:
    said: list[Event] = []
    remove_others(CLIENT, catalog_folders(), LabFile(), said.append)
    assert done == ["propose", "remove"]
    assert [event.text for event in said if isinstance(event, Note)] == ["alice's lab 'lab' is removed, with its data."]


def test_nothing_is_removed_for_a_lab_that_cannot_be(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise BadInput("There are no images.")

    monkeypatch.setattr(module, "propose", refuse)
    with pytest.raises(BadInput):
        remove_others(CLIENT, catalog_folders(), LabFile(), lambda _: None)
    assert done == []


def test_a_lab_of_ones_own_stays(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "other_owner", lambda *_: None)
    remove_others(CLIENT, catalog_folders(), LabFile(), lambda _: None)
    assert done == []
