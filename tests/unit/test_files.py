"""Writing files: never half there, never readable for more people than meant, nothing stale left."""

import stat
from pathlib import Path

import pytest

from labctl.files import write_file, write_folder


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_file_is_written_with_its_mode_in_private_folders(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    assert write_file(path, b"x")
    assert (path.read_bytes(), mode(path)) == (b"x", 0o600)
    assert mode(path.parent) == 0o700


def test_the_same_again_touches_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"x")
    before = path.stat()
    assert not write_file(path, b"x")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize(("content", "wanted"), [(b"y", 0o600), (b"x", 0o640), (b"", 0o600)])
def test_another_content_or_mode_is_written(tmp_path: Path, content: bytes, wanted: int) -> None:
    path = tmp_path / "file"
    write_file(path, b"x", 0o600)
    assert write_file(path, content, wanted)
    assert (path.read_bytes(), mode(path)) == (content, wanted)


def test_whoever_reads_meanwhile_sees_the_old_content_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"old" * 10_000)
    with path.open("rb") as reader:
        start = reader.read(3)
        write_file(path, b"new")
        assert start + reader.read() == b"old" * 10_000
    assert path.read_bytes() == b"new"


def test_an_error_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_file(path, b"old")
    with pytest.raises(TypeError):
        write_file(path, "not bytes")  # type: ignore[arg-type]
    assert tree(tmp_path) == {"file": b"old"}


def test_a_place_that_cannot_be_taken_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    (path / "inner").mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        write_file(path, b"x")
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_holds_exactly_what_it_shall(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    files = {"compose.yaml": b"1", "etc/nova/nova.conf": b"2", "etc/nova/conf.d/README": b"3"}
    assert set(write_folder(folder, files)) == set(files)
    assert tree(folder) == files


def test_only_what_differs_is_written_and_told(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a": b"1", "b/c": b"2"})
    before = (tmp_path / "a").stat().st_ino
    assert write_folder(tmp_path, {"a": b"1", "b/c": b"3"}) == ("b/c",)
    assert (tmp_path / "a").stat().st_ino == before
    assert write_folder(tmp_path, {"a": b"1", "b/c": b"3"}) == ()


def test_stale_files_and_empty_folders_go(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a": b"1", "old/deep/x": b"2", "old/deep/y": b"3"})
    (tmp_path / "left" / "behind").mkdir(parents=True)
    (tmp_path / ".a.unfinished").touch()
    changed = write_folder(tmp_path, {"a": b"1"})
    assert set(changed) == {"old/deep/x", "old/deep/y", ".a.unfinished"}
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]


@pytest.mark.parametrize(
    ("given", "of_files", "of_scripts", "of_folders"),
    [(0o600, 0o600, 0o700, 0o700), (0o644, 0o644, 0o755, 0o755), (0o640, 0o640, 0o750, 0o750)],
)
def test_modes(tmp_path: Path, given: int, of_files: int, of_scripts: int, of_folders: int) -> None:
    folder = tmp_path / "context"
    write_folder(folder, {"files/data": b"x", "files/bin/run": b"#!/bin/sh\n"}, given)
    assert mode(folder / "files" / "data") == of_files
    assert mode(folder / "files" / "bin" / "run") == of_scripts
    for each in (folder, folder / "files", folder / "files" / "bin"):
        assert mode(each) == of_folders, each


def test_a_file_whose_permissions_were_opened_is_shut_again(tmp_path: Path) -> None:
    write_folder(tmp_path, {"secret": b"x"})
    (tmp_path / "secret").chmod(0o644)
    assert write_folder(tmp_path, {"secret": b"x"}) == ("secret",)
    assert mode(tmp_path / "secret") == 0o600
