"""Shows what a service's configuration is: as a file of oslo.config, or as JSON."""

import json
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from labctl.configuration.origin import Effective, Given

MASK = "****"
_SECRET_NAME = re.compile(r"password|secret|token$|_key$|connection$|transport_url", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(?<=://)([^:/@\s]*):([^@/\s]+)@")


class Masking:
    """Takes secrets out of what is shown.

    Args:
        secrets: The lab's own.
        show: Whether to leave them in.
    """

    def __init__(self, secrets: Collection[str], *, show: bool) -> None:
        self._secrets = sorted((secret for secret in secrets if secret), key=len, reverse=True)
        self._show = show

    def __call__(self, one: Effective, value: str) -> str:
        """The value, or what may be seen of it."""
        if self._show or not value:
            return value
        # An option that nobody registers says nothing of itself: its name must do.
        if one.option.secret if one.option else _SECRET_NAME.search(one.name):
            return MASK
        for secret in self._secrets:
            value = value.replace(secret, MASK)
        return _URL_PASSWORD.sub(rf"\1:{MASK}@", value)


def as_file(found: Sequence[Effective], masked: Masking, name_of: Callable[[Path], str], *, origin: bool) -> str:
    """Writes values as a file for oslo.config; defaults are comments, and so is where a value comes from."""
    lines: list[str] = []
    section = None
    for one in found:
        if one.section != section:
            lines += [*([""] if lines else []), f"[{one.section}]"]
            section = one.section
        lines += _origin(one, masked, name_of) if origin else []
        lines += _values(one, masked)
    return "\n".join(lines)


def _values(one: Effective, masked: Masking) -> Iterator[str]:
    prefix = "" if one.given else "#"
    for value in one.values:
        first, *more = masked(one, value).split("\n")
        yield f"{prefix}{one.name} = {first}".rstrip()
        yield from (f"{prefix}    {line}" for line in more)
    if not one.values:
        yield f"#{one.name} = <None>"


def _origin(one: Effective, masked: Masking, name_of: Callable[[Path], str]) -> Iterator[str]:
    for given in one.given:
        yield f"# {place(given, name_of)}" + ("" if one.option else ": no registered option")
    for given in one.overridden:
        yield f"# {place(given, name_of)}: overridden: {masked(one, given.value)}".replace("\n", " ")
    if not one.given and one.option:
        yield f"# default of {one.option.package}"


def place(given: Given, name_of: Callable[[Path], str]) -> str:
    """FILE:LINE."""
    return f"{name_of(given.path)}:{given.line}"


def as_json(found: Sequence[Effective], masked: Masking, name_of: Callable[[Path], str]) -> str:
    """Writes values as one JSON list, always with where they come from."""

    def describe(one: Effective, given: Given) -> dict[str, object]:
        return {"value": masked(one, given.value), "file": name_of(given.path), "line": given.line}

    return json.dumps(
        [
            {
                "section": one.section,
                "name": one.name,
                "values": [masked(one, value) for value in one.values],
                "given": [describe(one, given) for given in one.given],
                "overridden": [describe(one, given) for given in one.overridden],
                "package": one.option.package if one.option else None,
            }
            for one in found
        ]
    )
