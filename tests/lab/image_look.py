"""What is inside an image, by a look from a container of it; and what of this machine must not be."""

import os
import re
import shlex
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import certifi

from labctl.build.machine import ca_bundle
from labctl.lab.secrets import read_secrets
from labctl.lab.state import cache_root, known_labs
from tests.lab.commands import docker

SCRIPT = Path(__file__).with_name("look-inside.sh")
HOST_AUTHORITIES = Path("/usr/share/ca-certificates")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----\s*(.*?)\s*-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Inside:
    """The sections that look-inside.sh printed."""

    sections: dict[str, list[str]]

    @cached_property
    def files(self) -> dict[str, str]:
        """Path to kind: f, d, l."""
        return {line[2:]: line[0] for line in self.sections["files"]}

    @property
    def regular(self) -> list[str]:
        return [path for path, kind in self.files.items() if kind == "f"]

    def versions(self, section: str) -> dict[str, str]:
        return dict(line.split(" ", 1) for line in self.sections[section])

    def certificates(self, section: str) -> set[str]:
        return certificates("\n".join(self.sections[section]))


def look_inside(reference: str, needles: list[str]) -> Inside:
    said = docker(
        *("run", "--rm", "--interactive", "--network", "none", "--user", "0:0", "--read-only"),
        *("--entrypoint", "/bin/sh", reference, "-s", "--", *needles),
        stdin=SCRIPT.read_text(),
        timeout=300,
    )
    sections: dict[str, list[str]] = {}
    for line in said.splitlines():
        if line.startswith("== "):
            current = sections.setdefault(line[3:], [])
        else:
            current.append(line)
    assert "end" in sections, f"the look into {reference} broke off"
    return Inside(sections)


def certificates(text: str) -> set[str]:
    """The bodies of the certificates in a PEM text."""
    return {"".join(body.split()) for body in CERTIFICATE.findall(text)}


def private_authorities() -> list[str]:
    """A line out of each certificate that this machine trusts and that its distribution does not."""
    bundle = ca_bundle(os.environ)
    trusted = CERTIFICATE.findall(bundle.read_text()) if bundle else []
    public = certificates(Path(certifi.where()).read_text())
    for path in HOST_AUTHORITIES.rglob("*.crt"):
        public |= certificates(path.read_text())
    private = [body for body in trusted if "".join(body.split()) not in public]
    return [lines[len(lines) // 2] for body in private if (lines := body.split())]


def downloads() -> list[str]:
    """The addresses of this machine's own that builds download from: proxies, package indexes, mirrors."""
    folder = cache_root() / "build" / "2024.2" / "secrets"
    found: set[str] = set()
    for path in folder.glob("*") if folder.is_dir() else ():
        for word in shlex.split(path.read_text(), comments=True):
            found.update(re.findall(r"https?://[^\s\"';]+", word))
    return sorted(found)


def secrets_of_labs() -> list[str]:
    """A line out of each secret of the labs that there are."""
    values = [value for lab in known_labs() for value in read_secrets(lab.secrets).values.values()]
    return [lines[len(lines) // 2] for value in values if (lines := value.split("\n")) and lines[0]]
