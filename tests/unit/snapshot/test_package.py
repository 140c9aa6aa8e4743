"""The file of an exported snapshot: an ordinary tar, checked to its last byte before anything is taken out of it."""

import hashlib
import os
import tarfile
from pathlib import Path

import pytest

from labctl.errors import BadInput
from labctl.lab.file import LabFile
from labctl.snapshot.manifest import dump_manifest
from labctl.snapshot.package import DATA, MANIFEST, SUMS, finish, inspect, own_files
from tests.unit.snapshot.test_manifest import HUSH
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
    for text, name in ((CONTENT[100:110], DATA), (HUSH.encode(), MANIFEST)):
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


def crafted(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """A file that somebody made by hand, of headers and what follows each."""
    path.write_bytes(b"".join(info.tobuf() + content + bytes(-len(content) % 512) for info, content in members))
    return path


def info(name: str, size: int, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.type, made.linkname = size, kind, link
    return made


HUGE = 8 << 30


@pytest.mark.parametrize(
    "members",
    [
        [(info(DATA, 0, tarfile.LNKTYPE, DATA), b"")],
        [(info(DATA, 0, tarfile.SYMTYPE, "/etc/passwd"), b"")],
        [(info(DATA, HUGE), b"x")],
        [(info(DATA, 0), b""), (info(MANIFEST, HUGE), b"x")],
        [(info(DATA, 0), b""), (info(MANIFEST, HUGE, tarfile.GNUTYPE_SPARSE), b"x")],
        [(info("x", HUGE, tarfile.XHDTYPE), b"x")],
        [(info("x", HUGE, tarfile.GNUTYPE_LONGNAME), b"x")],
        [(info(DATA, 0), b""), (info(MANIFEST, 1), b"x"), (info(SUMS, 1), b"x")],
        [(info(DATA, 0), b""), (info(MANIFEST, 1), b"x"), (info(SUMS, 9), b"\xff \n\0  a a")],
        [(info("../" + DATA, 0), b"")],
        [],
    ],
    ids=[
        "link to itself",
        "link",
        "cut off",
        "huge",
        "sparse",
        "pax",
        "long name",
        "sums",
        "no sums",
        "way out",
        "none",
    ],
)
def test_a_file_that_is_made_to_hurt_is_refused(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    with pytest.raises(BadInput):
        look(crafted(tmp_path / "x.tar", *members))


def test_a_file_of_holes_is_not_read_into_memory(tmp_path: Path) -> None:
    path = crafted(tmp_path / "x.tar", (info(DATA, 0), b""), (info(MANIFEST, HUGE), b""))
    os.truncate(path, HUGE + 10_000)
    with pytest.raises(BadInput, match="no snapshot"):
        look(path)


def test_what_a_lab_would_read_of_this_machine_is_told() -> None:
    lab = LabFile(guest="/etc/shadow", configuration={"nova": ["/root/x"]}, sources={"nova": "/home/me"})
    assert own_files(lab) == ("/etc/shadow", "/root/x", "/home/me")
    assert own_files(LabFile(guest="https://example.org/x.img")) == ()
