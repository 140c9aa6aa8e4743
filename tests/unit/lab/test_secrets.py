"""A lab's secrets: of the right kind, random, made once, readable for one user."""

import base64
import re
import stat
import struct
from pathlib import Path

import bcrypt
import pytest
from pydantic import ValidationError

from labctl.lab.secrets import Kind, Secrets, bcrypt_hash, make, public_ssh_key, read_secrets, write_secrets

NAMES = ("password.user.admin", "fernet.keystone.token.0", "ssh.nova", "ceph.cinder")


def test_a_secret_is_of_the_kind_that_its_name_says() -> None:
    made = Secrets().with_names(NAMES)
    assert set(made.values) == set(NAMES)
    assert re.fullmatch("[0-9a-f]{48}", made["password.user.admin"])
    assert len(base64.urlsafe_b64decode(made["fernet.keystone.token.0"])) == 32
    assert made["ssh.nova"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    kind, _, _, length = struct.unpack("<hiih", base64.b64decode(made["ceph.cinder"])[:12])
    assert (kind, length) == (1, 16)
    assert len(base64.b64decode(made["ceph.cinder"])) == 12 + length


@pytest.mark.parametrize("kind", Kind)
def test_no_two_secrets_are_the_same(kind: Kind) -> None:
    assert make(kind) != make(kind)


def test_a_name_of_no_kind_is_an_error() -> None:
    with pytest.raises(ValueError, match="pasword"):
        Secrets().with_names(["pasword.x"])


def test_secrets_that_are_there_are_kept() -> None:
    first = Secrets().with_names(NAMES[:2])
    second = first.with_names(NAMES)
    assert {name: second[name] for name in NAMES[:2]} == first.values
    assert set(first.values) == set(NAMES[:2]), "the first ones were changed"
    assert second.with_names(NAMES) == second


def test_secrets_that_are_not_asked_for_any_more_are_kept_too() -> None:
    assert Secrets(values={"password.old": "x"}).with_names(NAMES)["password.old"] == "x"


def test_the_public_half_is_one_line_without_a_comment() -> None:
    key = make(Kind.SSH)
    assert re.fullmatch(r"ssh-ed25519 [A-Za-z0-9+/=]+", public_ssh_key(key))
    assert public_ssh_key(key) == public_ssh_key(key)
    assert public_ssh_key(key) != public_ssh_key(make(Kind.SSH))


def test_the_file_is_for_this_user_alone_and_gives_back_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "labs" / "lab" / "secrets.yaml"
    made = Secrets().with_names(NAMES)
    write_secrets(path, made)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_secrets(path) == made


def test_a_file_that_others_could_read_is_shut(tmp_path: Path) -> None:
    path = tmp_path / "secrets.yaml"
    made = Secrets().with_names(NAMES)
    write_secrets(path, made)
    path.chmod(0o644)
    write_secrets(path, made)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_file_is_no_secrets(tmp_path: Path) -> None:
    assert read_secrets(tmp_path / "secrets.yaml") == Secrets()


def test_secrets_are_not_changed_in_place() -> None:
    with pytest.raises(ValidationError):
        Secrets().values = {}  # type: ignore[misc]


def test_the_hash_of_a_password_is_keystones_and_the_same_each_time() -> None:
    hashed = bcrypt_hash("hunter2")
    assert bcrypt.checkpw(b"hunter2", hashed.encode())
    assert not bcrypt.checkpw(b"hunter3", hashed.encode())
    assert hashed == bcrypt_hash("hunter2"), "what is rendered would change from one time to the next"
    assert hashed.startswith("$2b$06$")
    assert "hunter2" not in hashed


def test_two_passwords_have_two_salts() -> None:
    assert bcrypt_hash("a")[:29] != bcrypt_hash("b")[:29]
