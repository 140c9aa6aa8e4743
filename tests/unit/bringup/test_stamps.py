"""What is known of a database's volume without a container: an `up` that was killed may have left it empty."""

import io
import tarfile
from typing import Any

import docker.errors
import pytest

from labctl.bringup.migrate import FILE, FILLED, FILLING, read_stamps
from labctl.lab.state import LabState


class EngineWithAVolume:
    """An engine that has the volume and no container of the lab."""

    def __init__(self, *files: str, content: bytes = b"") -> None:
        self.files = files
        self.content = content
        self.made: list[str] = []
        self.api = self

    def inspect_volume(self, name: str) -> dict[str, Any]:
        return {"Name": name}

    def inspect_container(self, name: str) -> dict[str, Any]:
        raise docker.errors.NotFound(name)

    def create_host_config(self, binds: list[str], network_mode: str) -> dict[str, Any]:
        assert binds[0].endswith(":nocopy"), "to look would fill it"
        return {}

    def create_container(self, image: str, command: list[str], **settings: Any) -> dict[str, str]:
        self.made.append(image)
        return {"Id": image}

    def remove_container(self, container: str, force: bool) -> None:
        self.made.remove(container)

    def get_archive(self, container: str, path: str) -> tuple[list[bytes], dict[str, Any]]:
        name = path.rpartition("/")[2]
        if name not in self.files:
            raise docker.errors.NotFound(name)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo(name)
            entry.size = len(self.content)
            archive.addfile(entry, io.BytesIO(self.content))
        return [packed.getvalue()], {}


@pytest.mark.parametrize("files", [(), (FILLING,), (FILLED, FILLING)])
def test_a_volume_that_is_still_to_be_filled_is_a_new_one(files: tuple[str, ...]) -> None:
    engine = EngineWithAVolume(*files)
    assert read_stamps(engine, LabState("lab"), "image") is None  # type: ignore[arg-type]
    assert engine.made == []


def test_of_databases_without_a_note_nothing_is_known() -> None:
    assert read_stamps(EngineWithAVolume(FILLED), LabState("lab"), "image") == {}  # type: ignore[arg-type]


def test_the_note_says_what_migrated_them() -> None:
    engine = EngineWithAVolume(FILLED, FILE, content=b'{"nova": "1"}\n')
    assert read_stamps(engine, LabState("lab"), "image") == {"nova": "1"}  # type: ignore[arg-type]
