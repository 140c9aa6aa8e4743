"""What a snapshot says of itself: written and read back, refused where it is something else, names, images."""

from datetime import UTC, datetime

import pytest

from labctl.errors import BadInput
from labctl.lab.file import LabFile
from labctl.snapshot.manifest import Manifest, differing_images, dump_manifest, load_manifest, parse_snapshot_name

MANIFEST = Manifest(
    name="before-lunch",
    made=datetime(2026, 11, 21, 12, tzinfo=UTC),
    labctl="0.1",
    lab=LabFile(name="x", nodes=("node1", "node3"), address_range="10.20.0.0/22"),
    images={"labctl/nova:2024.2": "aa", "labctl/mariadb:2024.2": "bb"},
    uid=1000,
    volumes={"mariadb": 7, "glance": 5},
    secrets={"password.keystone.admin": "hush"},
)


def test_it_is_read_back_as_it_was_written() -> None:
    assert load_manifest(dump_manifest(MANIFEST), "x.yaml") == MANIFEST
    assert MANIFEST.size == 12


def test_secrets_are_not_shown_by_accident() -> None:
    assert "hush" not in repr(MANIFEST)


@pytest.mark.parametrize(
    "text",
    [b"", b"[1, 2]", b"a: [", b"name: x", dump_manifest(MANIFEST) + b"more: 1\n"],
    ids=["empty", "list", "no YAML", "keys missing", "a key too many"],
)
def test_anything_else_is_refused_without_showing_what_it_holds(text: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        load_manifest(text, "x.yaml")
    assert "x.yaml" in caught.value.what
    assert "hush" not in f"{caught.value.what} {caught.value.evidence}"


def test_a_newer_format_is_named() -> None:
    with pytest.raises(BadInput, match="format 2"):
        load_manifest(dump_manifest(MANIFEST).replace(b"format: 1", b"format: 2"), "x.yaml")


@pytest.mark.parametrize("name", ["a", "before-lunch", "2024.2_x", "A" * 40])
def test_names_that_a_snapshot_may_have(name: str) -> None:
    assert parse_snapshot_name(name) == name


@pytest.mark.parametrize("name", ["", "-a", ".hidden", "a/b", "..", "ä", "a b", "A" * 41])
def test_names_that_it_may_not_have(name: str) -> None:
    with pytest.raises(BadInput):
        parse_snapshot_name(name)


def test_images_differ_where_they_hold_something_else_or_are_not_there() -> None:
    there = {"labctl/nova:2024.2": "aa", "labctl/mariadb:2024.2": "bb", "labctl/other:2024.2": "cc"}
    assert differing_images(MANIFEST.images, there) == ()
    assert differing_images(MANIFEST.images, {**there, "labctl/nova:2024.2": "zz"}) == ("labctl/nova:2024.2",)
    assert differing_images(MANIFEST.images, {}) == ("labctl/mariadb:2024.2", "labctl/nova:2024.2")
