"""`prune` removes what was found, and looks again before it takes a lab's remains away."""

from pathlib import Path
from typing import Any, cast

import docker
import pytest
from docker.errors import APIError

from labctl.bringup import prune as module
from labctl.bringup.debris import Debris
from labctl.bringup.prune import images_of, needed_images, prune, remove_gone_lab, remove_images
from labctl.catalog.folders import catalog_folders
from labctl.engine import lab_lock
from labctl.engine.inventory import ImageSeen, Inventory, layers_of
from labctl.engine.remains import Remains
from labctl.events import Event, Note
from labctl.lab.file import LabFile, dump_lab_file
from labctl.lab.state import LabState

CLIENT = cast(docker.DockerClient, None)
FOLDERS = catalog_folders()


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))


def keep(name: str) -> LabState:
    state = LabState(name)
    state.folder.mkdir(parents=True)
    state.lab_file.write_text(dump_lab_file(LabFile(name=name)))
    return state


def test_labs_that_are_up_or_kept_need_their_images_and_gone_ones_do_not() -> None:
    up, kept, gone = keep("up"), keep("kept"), keep("gone")
    remains = {"up": Remains(containers=("c",)), "kept": Remains(volumes=("v",))}
    for lab in (up, kept):
        needed = needed_images(FOLDERS, [lab, gone], remains)
        assert {"labctl/nova:2024.2", "labctl/guest:2024.2"} <= needed
    assert needed_images(FOLDERS, [gone], remains) == frozenset()


def test_a_state_folder_without_a_lab_file_needs_no_images() -> None:
    LabState("half").folder.mkdir(parents=True)
    assert images_of(FOLDERS, LabState("half")) == []


def test_a_lab_that_somebody_brings_up_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    removed: list[str] = []
    monkeypatch.setattr(module, "remove_lab", lambda _, name, emit: removed.append(name))
    monkeypatch.setattr(lab_lock, "remains_of", lambda *_: Remains())
    seen = Remains(volumes=("v",))
    events: list[Event] = []
    inventory = Inventory(volume_bytes={"v": 7})
    monkeypatch.setattr(module, "remains_of", lambda *_: Remains(volumes=("v",), containers=("c",)))
    assert remove_gone_lab(CLIENT, "x", seen, inventory, events.append) == 0
    assert removed == []
    assert [event.text for event in events if isinstance(event, Note)] == ["The lab 'x' changed meanwhile and stays."]
    monkeypatch.setattr(module, "remains_of", lambda *_: seen)
    assert remove_gone_lab(CLIENT, "x", seen, inventory, events.append) == 7
    assert removed == ["x"]


class FakeImages:
    """An engine that takes names of images away, but for those in use."""

    def __init__(self, in_use: str = "") -> None:
        self.api = self
        self.removed: list[str] = []
        self._in_use = in_use

    def remove_image(self, name: str) -> None:
        if name == self._in_use:
            response: Any = type("Response", (), {"status_code": 409})
            raise APIError("in use", response=response)
        self.removed.append(name)


def test_images_are_removed_by_all_their_names_or_their_id() -> None:
    engine = FakeImages(in_use="b")
    images = (ImageSeen("x", ("a", "b", "c")), ImageSeen("y"))
    assert remove_images(cast(Any, engine), Debris(images=images)) == [True, False, True, True]
    assert engine.removed == ["a", "c", "y"]


def test_all_that_was_found_is_removed_and_counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    guest = tmp_path / "guest"
    guest.mkdir()
    (guest / "guest.qcow2").write_bytes(b"x" * 5)
    monkeypatch.setattr(module, "look", lambda *_, **__: (Debris(guests=(guest,)), Inventory(layers_bytes=100)))
    monkeypatch.setattr(module, "take_inventory", lambda _: Inventory(layers_bytes=30))
    assert prune(CLIENT, FOLDERS, lambda _: None) == 75
    assert not guest.exists()


def test_images_have_the_layers_in_common_whose_history_begins_alike() -> None:
    def entry(what: str, size: int) -> dict[str, Any]:
        return {"Created": 1, "CreatedBy": what, "Size": size}

    one = layers_of([entry("one", 2), entry("base", 100)])
    two = layers_of([entry("two", 3), entry("base", 100)])
    assert sum(one.values()) == 102
    assert [one[name] for name in one if name in two] == [100]
    # The same step on something else is another layer.
    assert not set(layers_of([entry("one", 2)])) & set(one)
