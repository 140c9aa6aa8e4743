"""What an imported snapshot may hold: `unpack.sh` on a real engine, with archives that a stranger could have made."""

import gzip
import io
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker as sdk
import pytest

from labctl.engine.copying import make_snapshot_volume, remove_volume, unpack
from labctl.errors import BadInput
from tests.conftest import Built
from tests.lab.commands import docker

MB = 1 << 20


def folder(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, 0o755
    return info


def file(name: str, size: int = 0, mode: int = 0o644) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.uid = size, mode, 64100
    return info


def other(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.devmajor, info.devminor = kind, link, 1, 5
    return info


def packed(*members: tarfile.TarInfo) -> bytes:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for member in members:
            tar.addfile(member, io.BytesIO(bytes(member.size)))
    return gzip.compress(archive.getvalue(), 1)


@pytest.fixture(scope="module")
def image(built: Built) -> str:
    return built.reference("libvirt")


@pytest.fixture
def volume() -> Iterator[str]:
    client = sdk.from_env()
    name = f"labctl-unpack_snapshot-{uuid.uuid4().hex[:8]}"
    make_snapshot_volume(client, "unpack", name, "x")
    yield name
    remove_volume(client, name)
    client.close()


def try_to_unpack(image: str, volume: str, content: bytes, path: Path, volumes: dict[str, int]) -> None:
    path.write_bytes(content)
    with path.open("rb") as source:
        unpack(image, "unpack", volume, source, len(content), volumes)


def test_files_folders_and_links_that_stay_are_taken(image: str, volume: str, tmp_path: Path) -> None:
    content = packed(
        *(
            folder("./data"),
            file("./data/a file", 5),
            file("./data/.hidden"),
            folder("./data/below"),
            folder("./empty"),
        ),
        *(other("./data/link", tarfile.SYMTYPE, "below/x..y"), other("./data/hard", tarfile.LNKTYPE, "./data/a file")),
    )
    try_to_unpack(image, volume, content, tmp_path / "x", {"data": MB, "empty": 0})
    look = ("run", "--rm", "--user", "0:0", "--volume", f"{volume}:/x", "--entrypoint", "find", image)
    found = docker(*look, "/x", "-printf", "%P %y %U\n").splitlines()
    assert {"data/a file f 64100", "data/hard f 64100", "data/link l 0", "data/below d 0", "empty d 0"} <= set(found)


STRANGE = {
    "device": [folder("data"), other("data/zero", tarfile.CHRTYPE)],
    "block device": [folder("data"), other("data/disk", tarfile.BLKTYPE)],
    "pipe": [folder("data"), other("data/pipe", tarfile.FIFOTYPE)],
    "link to the root": [folder("data"), other("data/x", tarfile.SYMTYPE, "/etc/shadow")],
    "link out": [folder("data"), other("data/x", tarfile.SYMTYPE, "../../etc")],
    "link out by a way back": [
        *(folder("data"), other("data/s", tarfile.SYMTYPE, ".")),
        other("data/x", tarfile.SYMTYPE, "s/s/s/../../../.."),
    ],
    "file behind a link": [folder("data"), other("data/x", tarfile.SYMTYPE, "/run"), file("data/x/y")],
    "hard link out": [folder("data"), other("data/x", tarfile.LNKTYPE, "/etc/shadow")],
    "name out": [folder("data"), file("../../run/x")],
    "another volume": [folder("data"), folder("etc")],
    "volume that is a link": [other("data", tarfile.SYMTYPE, "other"), folder("other")],
    "volume that is a file": [file("data")],
    "setuid": [folder("data"), file("data/sh", 1, 0o4755)],
    "more than it says": [folder("data"), file("data/big", 200 * MB)],
}


@pytest.mark.parametrize("members", STRANGE.values(), ids=STRANGE)
def test_anything_else_is_refused(image: str, volume: str, tmp_path: Path, members: list[tarfile.TarInfo]) -> None:
    with pytest.raises(BadInput, match="no snapshot") as caught:
        try_to_unpack(image, volume, packed(*members), tmp_path / "x", {"data": MB})
    assert caught.value.evidence[-1].startswith(("it ", "a volume"))


@pytest.mark.parametrize("content", [b"", b"no archive", gzip.compress(b"no tar"), packed(folder("data"))[:-30]])
def test_what_is_no_archive_is_refused(image: str, volume: str, tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadInput, match="no snapshot"):
        try_to_unpack(image, volume, content, tmp_path / "x", {"data": MB})
