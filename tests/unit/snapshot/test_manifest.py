"""What a snapshot says of itself: written and read back, refused where it is something else, names, images."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
import yaml

from labctl.errors import BadInput
from labctl.lab.file import LabFile
from labctl.lab.secrets import Kind, make
from labctl.snapshot.manifest import Manifest, differing_images, dump_manifest, load_manifest, parse_snapshot_name

HUSH = "0123456789abcdef" * 3

MANIFEST = Manifest(
    name="before-lunch",
    made=datetime(2026, 11, 21, 12, tzinfo=UTC),
    labctl="0.1",
    lab=LabFile(name="x", nodes=("node1", "node3"), address_range="10.20.0.0/22"),
    images={"labctl/nova:2024.2": "aa", "labctl/mariadb:2024.2": "bb"},
    uid=1000,
    volumes={"mariadb": 7, "glance": 5},
    secrets={"password.keystone.admin": HUSH},
)


def test_it_is_read_back_as_it_was_written() -> None:
    assert load_manifest(dump_manifest(MANIFEST), "x.yaml") == MANIFEST
    assert MANIFEST.size == 12


def test_secrets_are_not_shown_by_accident() -> None:
    assert HUSH not in repr(MANIFEST)


@pytest.mark.parametrize(
    "text",
    [b"", b"[1, 2]", b"a: [", b"name: x", dump_manifest(MANIFEST) + b"more: 1\n"],
    ids=["empty", "list", "no YAML", "keys missing", "a key too many"],
)
def test_anything_else_is_refused_without_showing_what_it_holds(text: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        load_manifest(text, "x.yaml")
    assert "x.yaml" in caught.value.what
    assert HUSH not in f"{caught.value.what} {caught.value.evidence}"


def test_a_newer_format_is_named() -> None:
    with pytest.raises(BadInput, match="format 2"):
        load_manifest(dump_manifest(MANIFEST).replace(b"format: 1", b"format: 2"), "x.yaml")


def written(**values: object) -> bytes:
    """A manifest of which some values are a stranger's."""
    return yaml.safe_dump({**MANIFEST.model_dump(mode="json", by_alias=True), **values}).encode()


STRANGE = {
    "a command": {"secrets": {"password.user.nova": "x\n[privsep]\nroot_helper = sh -c id"}},
    "SQL": {"secrets": {"password.database.nova": "x'; GRANT ALL ON *.* TO x; --"}},
    "no fernet key": {"secrets": {"fernet.keystone.token.0": "a" * 44}},
    "no ssh key": {"secrets": {"ssh.nova": "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END X-----\n"}},
    "no key of Ceph's": {"secrets": {"ceph.cinder": "AQ==\n[global]\nx = y"}},
    "no authority": {"secrets": {"authority.lab": make(Kind.TLS)}},
    "no key of a certificate": {"secrets": {"tls.x": make(Kind.AUTHORITY)}},
    "a key with more behind it": {"secrets": {"tls.x": make(Kind.TLS) + "x = y\n"}},
    "an unknown kind": {"secrets": {"wireguard.x": "0" * 48}},
    "a secret's name": {"secrets": {"password.../x": "0" * 48}},
    "a secret that is none": {"secrets": {"password.x": 7}},
    "a name with a way out": {"name": "../../x"},
    "a volume with a way out": {"volumes": {"../x": 1}},
    "a volume as an option": {"volumes": {"-x": 1}},
    "a volume with a colon": {"volumes": {"x:/": 1}},
    "a negative size": {"volumes": {"x": -1}},
    "a size that no disk has": {"volumes": {"x": 2**60}},
    "root": {"uid": 0},
    "a user with more": {"uid": "1000 +"},
    "a birth": {"birth": "x\n"},
    "an image": {"images": {"$(id)": "aa"}},
    "a digest": {"images": {"labctl/nova:2024.2": "../x"}},
    "a version": {"labctl": "0.1\x1b[2J"},
    "a lab's name": {"lab": {"name": "../x"}},
    "a release": {"lab": {"name": "x", "release": "../../x"}},
    "a guest": {"lab": {"name": "x", "guest": "a\0b"}},
    "a drop-in": {"lab": {"name": "x", "configuration": {"nova": ["a\nb"]}}},
    "made": {"made": "0001-01-01T00:00:00+23:59x"},
}


@pytest.mark.parametrize("strange", STRANGE.values(), ids=STRANGE)
def test_every_value_is_checked_against_what_it_can_be(strange: dict[str, object]) -> None:
    assert load_manifest(written(), "x.yaml") == MANIFEST
    with pytest.raises(BadInput, match=r"x\.yaml is no snapshot") as caught:
        load_manifest(written(**strange), "x.yaml")
    assert next(iter(strange)) in caught.value.evidence[0], "where it is"
    assert "root_helper" not in str(caught.value.evidence)


@pytest.mark.parametrize("kind", Kind)
def test_secrets_as_labctl_makes_them_are_taken(kind: Kind) -> None:
    values = {f"{kind}.x-y.z.0": make(kind)}
    assert load_manifest(written(secrets=values), "x.yaml").secrets == values


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n" for before, after in pairwise("abcdefghij")
)


@pytest.mark.parametrize(
    "text",
    [BOMB, "[" * 3000, "{a: " * 3000, "a: &a [*a]", "made: !!timestamp x", "uid: !!float x", "uid: !!int ''", "a: \0"],
    ids=["bomb", "brackets", "braces", "itself", "timestamp", "float", "int", "nul"],
)
def test_yaml_that_is_made_to_hurt_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        load_manifest(text.encode(), "x.yaml")


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
