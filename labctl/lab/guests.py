"""Where a lab's guest image may come from: a file, or an address. Pure."""

import re
from urllib.parse import urlsplit

LONGEST = 2000
"""Characters of an address."""

SHA256 = re.compile(r"[0-9a-f]{64}")

SCHEMES = ("https", "http")


def is_address(guest: str) -> bool:
    """Whether a guest is fetched: anything else is the path of a file."""
    return "://" in guest


def guest_refusal(guest: str, sha256: str | None) -> str:
    """Why an address is not fetched from; empty where it is.

    Whoever is between here and there can change what comes over plain http. With its checksum said, that is noticed, so
    `guest_sha256` is how http is asked for.

    Args:
        guest: The address.
        sha256: The checksum that what comes must have.
    """
    if len(guest) > LONGEST:
        return f"an address has {LONGEST} characters at most"
    if not guest.isascii() or not guest.isprintable() or " " in guest:
        return "an address is of ASCII letters, digits and punctuation"
    try:
        parts = urlsplit(guest)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        return f"this is no address: {error}"
    if parts.scheme not in SCHEMES:
        return "an address begins with https://, or with http:// where guest_sha256 says what must come"
    if not host or port == 0:
        return "there is no host in this address"
    if parts.scheme == "http" and not sha256:
        return (
            "over plain http anybody on the way can change it: say its guest_sha256, or give an address with https://"
        )
    return ""


def file_name(address: str) -> str:
    """What to call a file that is fetched: the end of its address, as far as a name may hold it."""
    end = urlsplit(address).path.rstrip("/").rpartition("/")[2]
    return re.sub(r"[^A-Za-z0-9._-]", "_", end)[-100:].lstrip("._-") or "image"
