"""Small files in a volume: a full disk may cut a new one short, and never takes the old one away."""

import io
import tarfile
from typing import Any

import docker.errors
import pytest

from labctl.engine.volume_files import FOLDER, read_file, which_are_there, write_file

WHERE = ("lab", "lab-mariadb", "lab_mariadb", "image")
ROOM_FOR_ALL = 10_000


class FakeEngine:
    """The archive API of an engine whose disk has so many bytes left."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.room = ROOM_FOR_ALL
        self.api = self

    def inspect_container(self, container: str) -> dict[str, Any]:
        return {"Mounts": [{"Name": WHERE[2], "Destination": FOLDER}]}

    def get_archive(self, container: str, path: str) -> tuple[list[bytes], dict[str, Any]]:
        name = path.removeprefix(f"{FOLDER}/")
        if name not in self.files:
            raise docker.errors.NotFound(name)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo(name)
            entry.size = len(self.files[name])
            archive.addfile(entry, io.BytesIO(self.files[name]))
        return [packed.getvalue()], {}

    def put_archive(self, container: str, folder: str, packed: bytes) -> None:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            for entry in archive:
                content = archive.extractfile(entry).read()  # type: ignore[union-attr]
                self.files[entry.name] = content[: self.room]
                self.room -= len(content)
                if self.room < 0:
                    raise docker.errors.APIError("no space left on device")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def read(engine: FakeEngine) -> bytes | None:
    return read_file(engine, *WHERE, "file")  # type: ignore[arg-type]


def write(engine: FakeEngine, content: bytes) -> None:
    write_file(engine, *WHERE, "file", content)  # type: ignore[arg-type]


def test_what_was_written_is_read(engine: FakeEngine) -> None:
    assert read(engine) is None
    write(engine, b"one\n")
    assert read(engine) == b"one\n"
    write(engine, b"two\n")
    assert read(engine) == b"two\n"


@pytest.mark.parametrize("room", range(8))
def test_a_disk_that_fills_up_leaves_the_old_content_or_the_new(engine: FakeEngine, room: int) -> None:
    write(engine, b"one\n")
    engine.room = room
    with pytest.raises(docker.errors.APIError):
        write(engine, b"two\n")
    assert read(engine) == (b"one\n" if room < 4 else b"two\n")


@pytest.mark.parametrize("room", range(4))
def test_a_first_content_that_is_cut_short_is_none(engine: FakeEngine, room: int) -> None:
    engine.room = room
    with pytest.raises(docker.errors.APIError):
        write(engine, b"one\n")
    assert read(engine) is None


def test_files_are_there_whatever_they_hold(engine: FakeEngine) -> None:
    engine.files = {"empty": b"", "cut": b"on"}
    found = which_are_there(engine, *WHERE, ("empty", "cut", "other"))  # type: ignore[arg-type]
    assert found == {"empty", "cut"}
