"""Guest images of the user's own; and the one of labctl, taken out of its image once."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from labctl.build import guest
from labctl.build.guest import export_guest, fetch, other_guest
from labctl.errors import BadInput
from labctl.events import Event

EVENTS: list[Event] = []


@pytest.mark.parametrize(
    ("name", "user", "disk_format"),
    [
        ("cirros-0.6.2-x86_64-disk.img", "cirros", "qcow2"),
        ("debian-12-generic.qcow2", "debian", "qcow2"),
        ("ubuntu.raw", "ubuntu", "raw"),
    ],
)
def test_a_guest_that_is_known_needs_no_user(tmp_path: Path, name: str, user: str, disk_format: str) -> None:
    path = tmp_path / name
    path.touch()
    found = other_guest(str(path), None, tmp_path / "cache", EVENTS.append)
    assert (found.path, found.user, found.disk_format) == (path, user, disk_format)
    assert found.name == path.stem


def test_the_user_that_is_given_counts(tmp_path: Path) -> None:
    path = tmp_path / "cirros.img"
    path.touch()
    assert other_guest(str(path), "me", tmp_path, EVENTS.append).user == "me"


def test_a_guest_that_nobody_is_known_to_log_in_to_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.qcow2"
    path.touch()
    with pytest.raises(BadInput, match=r"Who logs in to mine\.qcow2") as caught:
        other_guest(str(path), None, tmp_path, EVENTS.append)
    assert "guest_user" in caught.value.remedy


def test_a_guest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no guest image"):
        other_guest(str(tmp_path / "cirros.img"), None, tmp_path, EVENTS.append)


def test_an_address_that_does_not_answer_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    # Port 9 of this machine itself: nothing listens there, and nothing leaves the machine.
    with pytest.raises(BadInput, match="cannot be fetched"):
        fetch("http://127.0.0.1:9/cirros.img", tmp_path / "cache", EVENTS.append)
    assert not (tmp_path / "cache").exists()


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An engine that has one image, with a guest in it; the references of images that files were copied out of."""
    copied = []
    facts = {"user": "lab", "min_ram_mb": 64, "properties": {"hw_rng_model": "virtio"}}

    def copy_out(reference: str, names: Iterable[str], folder: Path) -> None:
        copied.append(reference)
        contents = {"guest.qcow2": "disk", "guest.json": json.dumps(facts)}
        for name in names:
            (folder / name).write_text(contents[name])

    monkeypatch.setattr(guest, "image_id", {"labctl/guest:there": "sha256:" + "ab" * 32}.get)
    monkeypatch.setattr(guest, "copy_out", copy_out)
    return copied


def test_the_guest_is_taken_out_of_its_image_once(tmp_path: Path, copied: list[str]) -> None:
    found = export_guest("labctl/guest:there", tmp_path / "guests")
    assert found.path.read_text() == "disk"
    assert (found.user, found.min_ram, found.disk_format) == ("lab", 64, "qcow2")
    assert export_guest("labctl/guest:there", tmp_path / "guests") == found
    assert copied == ["labctl/guest:there"]


def test_a_guest_that_is_not_built_is_said_to_be_so(tmp_path: Path, copied: list[str]) -> None:
    with pytest.raises(BadInput, match="not built yet") as caught:
        export_guest("labctl/guest:gone", tmp_path / "guests")
    assert caught.value.remedy == "Run `labctl build guest`."
    assert copied == []
