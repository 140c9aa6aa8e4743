"""How a lab's files are going to change, for people: unified diffs with everything secret masked. Pure."""

import difflib
import re
from collections.abc import Iterable, Mapping

from labctl.bringup.seen import SECRETS
from labctl.events import FileDifference

FILE_LINES = 30
"""Lines of a diff of one file."""

ALL_LINES = 200
"""Lines of all diffs."""

DROP_INS = ".conf.d/"
"""In the paths of files that the user wrote: these are shown also when they come and go."""

MASK = "<secret>"
SHORTEST = 8
"""Shorter values are not taken for secrets: they would be found in innocent words."""

_HASH = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_DIGEST = re.compile(r"^( *org\.labctl\.(?:configuration|definition):).*$", re.MULTILINE)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL)
# What oslo.config options that are secret are called; the user's own drop-ins may hold secrets that labctl never made.
_OPTION = re.compile(
    r"^(\s*[\w.-]*(?:(?:password|passwd|secret)[\w.-]*|token|api_key|private_key|transport_url|connection)\s*[=:]\s*)(\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)


def differences(
    before: Mapping[str, bytes], after: Mapping[str, bytes], changed: Iterable[str], secrets: Iterable[str]
) -> tuple[FileDifference, ...]:
    """Compares the files that change.

    Args:
        before: The files as they are.
        after: The files as they will be.
        changed: Those that differ.
        secrets: The values to mask, old and new ones.

    Returns:
        Their diffs, with as many lines as fit; what holds nothing but secrets is only named.
    """
    hidden = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)
    room = ALL_LINES
    found = []
    for path in sorted(changed):
        lines = _difference(path, before.get(path), after.get(path), hidden)
        shown = lines[: max(0, min(FILE_LINES, room))]
        if len(shown) < len(lines):
            shown = (*shown, f"... {len(lines) - len(shown)} more lines")
        room -= len(shown)
        found.append(FileDifference(path, shown))
    return tuple(found)


def mask(text: str, secrets: Iterable[str]) -> str:
    """Hides secrets in a text: known values, password hashes, private keys, and values of options that are secret."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    text = _PRIVATE_KEY.sub(MASK, _HASH.sub(MASK, text))
    return _OPTION.sub(rf"\1{MASK}", text)


def without_digests(text: str) -> str:
    """Takes the digests out of a Compose file: they differ where the files differ that are shown themselves."""
    return _DIGEST.sub(r"\1", text)


def _difference(path: str, before: bytes | None, after: bytes | None, secrets: list[str]) -> tuple[str, ...]:
    if path == SECRETS:
        return ("new secrets are made",)
    if before is None and DROP_INS not in path:
        count = len((after or b"").splitlines())
        return (f"new, {count} line{'s' if count != 1 else ''}",)
    if after is None and DROP_INS not in path:
        return ("is removed",)
    old, new = (
        without_digests(mask((content or b"").decode(errors="replace"), secrets)).splitlines()
        for content in (before, after)
    )
    # The first two lines name the files.
    return tuple(difflib.unified_diff(old, new, lineterm="", n=1))[2:] or ("only digests and secrets in it change",)
