"""A lab's certificate authority: what its services and nodes know each other by.

The authority and each key are secrets of the lab. Certificates are none, and kept nowhere: issued anew each time the
lab is rendered, they come out the same, since RSA's signatures do (PKCS #1 v1.5), and their times are the authority's.
"""

import datetime
import hashlib
from collections.abc import Iterable
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFE = datetime.timedelta(days=3650)
"""Longer than any lab: nothing renews a certificate."""

PAST = datetime.timedelta(days=1)
"""Valid for clocks that are behind, as that of a machine which a lab was moved to may be."""


def make_authority() -> str:
    """A new authority: its private key and its certificate, in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "labctl lab")])
    start = datetime.datetime.now(datetime.UTC) - PAST
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )
    return _private_pem(key) + certificate.public_bytes(Encoding.PEM).decode()


def make_key() -> str:
    """A new private key for a certificate, in PEM."""
    return _private_pem(ec.generate_private_key(ec.SECP256R1()))


def is_key(text: str) -> bool:
    """Whether a text is what `make_key` makes."""
    try:
        return isinstance(load_pem_private_key(text.encode(), password=None), ec.EllipticCurvePrivateKey)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # no key; one with a passphrase
        return False


def is_authority(text: str) -> bool:
    """Whether a text is what `make_authority` makes: a certificate, and the key that it is of."""
    try:
        key = load_pem_private_key(text.encode(), password=None)
        certificate = x509.load_pem_x509_certificate(text.encode())
        return isinstance(key, rsa.RSAPrivateKey) and certificate.public_key() == key.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False


def authority_certificate(authority: str) -> str:
    """The certificate that whoever trusts the lab must have, in PEM."""
    return x509.load_pem_x509_certificate(authority.encode()).public_bytes(Encoding.PEM).decode()


def issue(authority: str, key: str, name: str, hosts: Iterable[str]) -> str:
    """A certificate for servers and clients alike; the same arguments give the same text.

    Args:
        authority: What `make_authority` made.
        key: The private key of who gets it, as `make_key` made it.
        name: Who gets it.
        hosts: The addresses and host names that it answers at.

    Returns:
        The certificate in PEM.
    """
    issuer_key = load_pem_private_key(authority.encode(), password=None)
    if not isinstance(issuer_key, rsa.RSAPrivateKey):
        raise ValueError("the key of an authority is RSA's")
    issuer = x509.load_pem_x509_certificate(authority.encode())
    public = load_pem_private_key(key.encode(), password=None).public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        raise ValueError("the key of a certificate is on an elliptic curve")
    names = list(hosts)
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(_serial(issuer, key, name, names))
        .not_valid_before(issuer.not_valid_before_utc)
        .not_valid_after(issuer.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(usages, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in names]), critical=False)
    certificate = builder.sign(issuer_key, SHA256(), rsa_padding=padding.PKCS1v15())
    return certificate.public_bytes(Encoding.PEM).decode()


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _serial(issuer: x509.Certificate, key: str, name: str, hosts: Iterable[str]) -> int:
    """Different for each certificate of an authority, as RFC 5280 (4.1.2.2) wants it: positive, at most 20 bytes."""
    text = "\0".join([str(issuer.serial_number), hashlib.sha256(key.encode()).hexdigest(), name, *hosts])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:19], "big") or 1


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        # Of no use to a key on an elliptic curve; libvirt takes no certificate without (virnettlscontext.c).
        key_encipherment=not signs_certificates,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private_pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
