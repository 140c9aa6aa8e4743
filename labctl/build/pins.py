"""Locked Python packages: requirements files with hashes, as uv writes them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

BUILDER = "builder"
"""The image that compiles source packages."""


@dataclass(frozen=True)
class Pin:
    """One locked package: `name==version` with its hashes, as text of a requirements file."""

    name: str
    version: str
    text: str

    @property
    def plain(self) -> str:
        """Without hashes."""
        return f"{self.name}=={self.version}"

    @property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of each file that the lock allows."""
        return tuple(re.findall(r"--hash=sha256:([0-9a-f]+)", self.text))


Lock = Mapping[str, Pin]
"""Package name to pin."""


def canonical(requirement: str) -> str:
    """The package's name as PEP 503 normalizes it, from the start of a requirement line."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return re.sub(r"[-_.]+", "-", found.group()).lower() if found else ""


def parse_lock(text: str) -> Lock:
    """Reads the output of `uv pip compile --generate-hashes`."""
    pins: dict[str, Pin] = {}
    for entry in re.split(r"\n(?=\S)", text.strip()):
        head = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", entry)
        if head:
            pins[canonical(entry)] = Pin(canonical(entry), head.group(2), entry.rstrip())
    return pins
