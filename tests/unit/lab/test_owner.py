"""Whose a lab is, as text of strangers may tell it."""

import os
from pathlib import Path

import pytest

from labctl.lab.owner import UNREADABLE, Owner, owner_of_folder, parse_owner, this_user, user


def test_a_label_is_read_as_it_was_written() -> None:
    for owner in (Owner(1000, "alice"), Owner(0, "root"), Owner(4242), this_user()):
        read = parse_owner(owner.label)
        assert read == owner
        assert read.label == owner.label


def test_users_are_told_apart_by_their_number() -> None:
    assert Owner(1000, "alice") == Owner(1000, "renamed")
    assert Owner(1000, "alice") != Owner(1001, "alice")


@pytest.mark.parametrize(
    "label",
    [
        *("", "alice", "1000", "1000:", ":alice", "-1:alice", "99999999999:alice", "\u0661:alice"),
        *("1:a b", "1:../x", "1:-x", "1:\x1b[2J", "1:a\n", "1:\u202ealice", f"1:{'a' * 100}"),
    ],
)
def test_a_label_that_labctl_does_not_write_makes_nobody_an_owner_and_is_not_printed(label: str) -> None:
    assert parse_owner(label) is UNREADABLE
    assert str(UNREADABLE) == "somebody whom its labels do not tell"
    assert this_user() != UNREADABLE


def test_names_of_directories_are_read() -> None:
    for name in ("alice", "a.b", "a@example.org", "EXAMPLE\\alice", "_apt", "machine$", "1st"):
        assert str(parse_owner(f"7:{name}")) == name


def test_a_user_without_a_name_is_called_by_the_number() -> None:
    nobody_has_it = 4_000_000_017
    assert str(user(nobody_has_it)) == f"uid {nobody_has_it}"


def test_the_owner_of_a_folder(tmp_path: Path) -> None:
    assert owner_of_folder(tmp_path) == this_user()
    assert owner_of_folder(tmp_path / "gone") is None
    assert owner_of_folder(Path("/proc/1/cwd\0x")) is None


def test_the_owner_of_a_folder_that_may_not_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.stat

    def stat(self: Path, **options: bool) -> os.stat_result:
        if "private" in self.parts[:-1]:
            raise PermissionError
        return real(self, **options)

    monkeypatch.setattr(Path, "stat", stat)
    (tmp_path / "private").mkdir()
    assert owner_of_folder(tmp_path / "private/state/labs/lab") == this_user()
