"""A lab's secrets: random, made once, kept in one 0600 file of the state folder."""

import base64
import hashlib
import secrets
import struct
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import BaseModel, ConfigDict

from labctl.files import write_file

BCRYPT_ROUNDS = 6
"""As `password_hash_rounds` of keystone.conf: a slow hash would protect weak passwords, and these are not."""


class Kind(StrEnum):
    """What a secret looks like."""

    PASSWORD = "password"  # noqa: S105
    FERNET = "fernet"
    """32 random bytes, URL-safe base64 (https://github.com/fernet/spec)."""
    SSH = "ssh"
    """An ed25519 private key in OpenSSH's format."""
    CEPH = "ceph"
    """An AES key in the form of Ceph's keyrings."""
    AUTHORITY = "authority"
    """A certificate authority: private key and certificate, in PEM."""
    TLS = "tls"
    """The private key of a certificate, in PEM."""


class Secrets(BaseModel):
    """The secrets of a lab, by name; a name starts with its kind: `password.keystone.admin`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    values: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        return self.values[name]

    def with_names(self, names: Iterable[str]) -> "Secrets":
        """These secrets, and new ones for the names that have none yet."""
        missing = sorted(set(names) - set(self.values))
        return Secrets(values={**self.values, **{name: make(Kind(name.split(".")[0])) for name in missing}})


def make(kind: Kind) -> str:
    """Makes one secret."""
    if kind is Kind.FERNET:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    if kind is Kind.SSH:
        key = Ed25519PrivateKey.generate()
        return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    if kind is Kind.CEPH:
        # Type 1 (AES), seconds and nanoseconds of its making, length, key: CryptoKey::encode (ceph: auth/Crypto.cc).
        return base64.b64encode(struct.pack("<hiih", 1, 0, 0, 16) + secrets.token_bytes(16)).decode()
    if kind is Kind.AUTHORITY:
        from labctl.lab.authority import make_authority

        return make_authority()
    if kind is Kind.TLS:
        from labctl.lab.authority import make_key

        return make_key()
    # Letters and digits alone: it stands in URLs, INI files and SQL. 24 bytes are 192 bits.
    return secrets.token_hex(24)


def public_ssh_key(private: str) -> str:
    """The public half of an ssh secret, as a line of authorized_keys without comment."""
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    key = load_ssh_private_key(private.encode(), password=None)
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def bcrypt_hash(password: str) -> str:
    """The password as Keystone keeps it (keystone/common/password_hashers/bcrypt.py).

    The same password gives the same text, so that what is rendered does not change from one time to the next: the salt
    is made of the password, which is random and different in each lab.
    """
    import bcrypt

    digest = hashlib.sha256(b"salt of " + password.encode()).digest()
    alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    salt = "".join(alphabet[byte % 64] for byte in digest[:21]) + "."
    return bcrypt.hashpw(password.encode(), f"$2b${BCRYPT_ROUNDS:02}${salt}".encode()).decode()


def read_secrets(path: Path) -> Secrets:
    """The secrets of a lab; none where there is no file yet."""
    return Secrets(values=yaml.safe_load(path.read_text()) or {}) if path.exists() else Secrets()


def dump_secrets(found: Secrets) -> bytes:
    """The content of the file that keeps them."""
    return yaml.safe_dump(found.values).encode()


def write_secrets(path: Path, found: Secrets) -> None:
    """Writes them, readable for this user alone."""
    write_file(path, dump_secrets(found), 0o600)
