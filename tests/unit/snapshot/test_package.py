"""The file of an exported snapshot: an ordinary tar, checked to its last byte before anything is taken out of it."""

import hashlib
import tarfile
from pathlib import Path

import pytest

from labctl.errors import BadInput
from labctl.snapshot.manifest import dump_manifest
from labctl.snapshot.package import DATA, MANIFEST, SUMS, finish, inspect
from tests.unit.snapshot.test_manifest import MANIFEST as MADE

CONTENT = bytes(range(256)) * 9


@pytest.fixture
def package(tmp_path: Path) -> Path:
    path = tmp_path / "x.tar"
    with path.open("wb+") as file:
        file.seek(tarfile.BLOCKSIZE)
        file.write(CONTENT)
        finish(file, dump_manifest(MADE))
    return path


def look(path: Path) -> tuple[object, int, int]:
    with path.open("rb") as file:
        return inspect(file, path.name)


def test_what_was_packed_is_found(package: Path) -> None:
    manifest, begin, size = look(package)
    assert manifest == MADE
    assert package.read_bytes()[begin : begin + size] == CONTENT


def test_tar_and_sha256sum_understand_it(package: Path) -> None:
    with tarfile.open(package) as tar:
        held = {name: tar.extractfile(name).read() for name in tar.getnames()}  # type: ignore[union-attr]
    assert list(held) == [DATA, MANIFEST, SUMS]
    sums = [f"{hashlib.sha256(held[name]).hexdigest()}  {name}" for name in (DATA, MANIFEST)]
    assert held[SUMS].decode().splitlines() == sums


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.7])
def test_a_file_that_is_cut_off_is_refused(package: Path, part: float) -> None:
    content = package.read_bytes()
    package.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(BadInput, match="cut off"):
        look(package)


def test_changed_bytes_are_noticed_and_named(package: Path) -> None:
    content = package.read_bytes()
    for text, name in ((CONTENT[100:110], DATA), (b"hush", MANIFEST)):
        changed = bytearray(content)
        changed[content.index(text)] ^= 1
        package.write_bytes(changed)
        with pytest.raises(BadInput, match="damaged") as caught:
            look(package)
        assert [line.split()[0] for line in caught.value.evidence] == [name]


def test_another_tar_and_no_tar_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.tar"
    with tarfile.open(other, "w") as tar:
        tar.add(__file__, "x")
    text = tmp_path / "text"
    text.write_text("no tar at all\n" * 100)
    for path in (other, text):
        with pytest.raises(BadInput, match="no snapshot"):
            look(path)
