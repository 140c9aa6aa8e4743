"""Manifests and files of snapshots that anybody may have made."""

import hashlib
import io
import tarfile

from hypothesis import strategies as st

from labctl.errors import BadInput
from labctl.lab.file import FIELDS
from labctl.snapshot.manifest import Manifest, dump_manifest, load_manifest
from labctl.snapshot.package import DATA, MANIFEST, SUMS, finish, inspect
from tests.fuzz.making import changed, check_told, fuzz, texts, trees, yaml_files
from tests.unit.snapshot.test_manifest import MANIFEST as MADE

SEED = dump_manifest(MADE)
KEYS = (*Manifest.model_fields, *FIELDS, "password.x", "ssh.x", "mariadb", "labctl/nova:2024.2")


@fuzz(12, content=yaml_files(KEYS, [SEED], "ab" * 24, 1000, "node1", "2026-01-01T00:00:00Z"))
def test_manifests(content: bytes) -> None:
    try:
        manifest = load_manifest(content, "x.yaml")
    except BadInput as error:
        check_told(error)
        return
    assert load_manifest(dump_manifest(manifest), "x.yaml") == manifest


@fuzz(4, key=st.sampled_from(list(Manifest.model_fields)), value=trees(KEYS))
def test_manifests_with_one_strange_value(key: str, value: object) -> None:
    import yaml

    text = {**MADE.model_dump(mode="json", by_alias=True), key: value}
    try:
        content = yaml.safe_dump(text).encode(errors="surrogatepass")
    except (yaml.YAMLError, ValueError):
        return
    try:
        load_manifest(content, "x.yaml")
    except BadInput as error:
        check_told(error)


def package(manifest: bytes) -> bytes:
    file = io.BytesIO(bytes(tarfile.BLOCKSIZE) + bytes(range(256)) * 3)
    finish(file, manifest)
    return file.getvalue()


WHOLE = package(SEED)


@st.composite
def crafted(draw: st.DrawFn) -> bytes:
    """A tar of any headers."""
    parts = []
    for name in (DATA, MANIFEST, SUMS):
        info = tarfile.TarInfo(draw(st.sampled_from([name, name, name, "x", "../x"])))
        content = draw(st.one_of(st.sampled_from([SEED, b"", b"x"]), st.binary(max_size=100)))
        info.size = draw(st.sampled_from([len(content), len(content), 0, 1, 8 << 30, 2**60]))
        info.type = draw(st.sampled_from([tarfile.REGTYPE, tarfile.REGTYPE, *b"1234567LKSxgDN\0V".decode()]))  # type: ignore[assignment]
        info.type = info.type if isinstance(info.type, bytes) else info.type.encode()
        info.linkname = draw(st.sampled_from(["", name, "/etc/shadow"]))
        parts.append(info.tobuf(tarfile.GNU_FORMAT) + content + bytes(-len(content) % 512))
    return b"".join(parts)


@fuzz(20, content=st.one_of(changed([WHOLE]), crafted(), st.binary(max_size=2000)))
def test_files_of_snapshots(content: bytes) -> None:
    try:
        manifest, begin, size = inspect(io.BytesIO(content), "x.tar")
    except BadInput as error:
        check_told(error)
        return
    stated = hashlib.sha256(content[begin : begin + size]).hexdigest()
    assert stated.encode() in content
    assert isinstance(manifest, Manifest)


@fuzz(2, name=texts(), manifest=changed([SEED]))
def test_files_of_snapshots_whose_checksums_are_right(name: str, manifest: bytes) -> None:
    try:
        inspect(io.BytesIO(package(manifest)), name)
    except BadInput as error:
        check_told(error)
