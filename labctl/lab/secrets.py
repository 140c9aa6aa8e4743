"""A lab's secrets: random, made once, kept in one 0600 file of the state folder."""

import base64
import hashlib
import re
import secrets
import struct
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path

import yaml
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from pydantic import BaseModel, ConfigDict, ValidationError

from labctl.errors import BadInput
from labctl.files import read_regular, write_file
from labctl.yaml_input import load_yaml

MOST_BYTES = 256 * 1024
"""Of the file that keeps a lab's secrets; a lab has some sixty."""

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


def _is_fernet(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]{43}=", text) is not None


def _is_ssh(text: str) -> bool:
    if not re.fullmatch(r"-----BEGIN OPENSSH PRIVATE KEY-----\n(?:[A-Za-z0-9+/=]+\n)+-----END [A-Z ]+-----\n", text):
        return False
    try:
        public_ssh_key(text)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # no key; one with a passphrase
        return False
    return True


def _is_ceph(text: str) -> bool:
    return re.fullmatch(r"AQ[A-Za-z0-9+/]{36}==", text) is not None


_PEM = r"-----BEGIN {0}-----\n(?:[A-Za-z0-9+/=]{{1,76}}\n)+-----END {0}-----\n"
_PRIVATE_KEY = re.compile(_PEM.format("PRIVATE KEY"))
_AUTHORITY = re.compile(_PEM.format("PRIVATE KEY") + _PEM.format("CERTIFICATE"))


def _is_authority(text: str) -> bool:
    from labctl.lab.authority import is_authority

    return _AUTHORITY.fullmatch(text) is not None and is_authority(text)


def _is_tls(text: str) -> bool:
    from labctl.lab.authority import is_key

    return _PRIVATE_KEY.fullmatch(text) is not None and is_key(text)


FITS: Mapping[Kind, Callable[[str], bool]] = {
    Kind.PASSWORD: lambda text: re.fullmatch(r"[0-9a-f]{48}", text) is not None,
    Kind.FERNET: _is_fernet,
    Kind.SSH: _is_ssh,
    Kind.CEPH: _is_ceph,
    Kind.AUTHORITY: _is_authority,
    Kind.TLS: _is_tls,
}
"""Whether a text is what `make` makes of a kind. Secrets are rendered into SQL, INI files and URLs: what came from
somebody else is taken as nothing else. Each kind has its own here."""

_NAME = re.compile(r"(?P<kind>[a-z]+)(?:\.[a-z0-9][a-z0-9_-]{0,60}){1,6}")


def misfits(values: Mapping[str, str]) -> tuple[str, ...]:
    """The names, cut where they are long, of what cannot be a secret of its kind."""
    return tuple(name[:80] for name, value in values.items() if not _fits(name, value))


def _fits(name: str, value: str) -> bool:
    known = _NAME.fullmatch(name)
    if known is None or known["kind"] not in set(Kind):
        return False
    return FITS[Kind(known["kind"])](value)


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
    if not path.exists():
        return Secrets()
    try:
        values = Secrets.model_validate({"values": load_yaml(read_regular(path, MOST_BYTES)) or {}}).values
    except (yaml.YAMLError, ValidationError) as error:
        # The error of the validation shows values.
        raise BadInput(f"{path} holds no secrets of a lab.", evidence=[type(error).__name__]) from None
    return Secrets(values=values)


def dump_secrets(found: Secrets) -> bytes:
    """The content of the file that keeps them."""
    return yaml.safe_dump(found.values).encode()


def write_secrets(path: Path, found: Secrets) -> None:
    """Writes them, readable for this user alone."""
    write_file(path, dump_secrets(found), 0o600)
