"""What packages an image holds: Python's as its locks say, the distribution's as dpkg says inside."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from labctl.build.pins import BUILDER, Lock, parse_lock
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import Image, ImageGraph
from labctl.catalog.release import Release, lock_folder
from labctl.engine.images import copy_out, run_in_image

LISTED = "${db:Status-Status}\\t${Package}\\t${Version}\\t${Architecture}\\t${source:Package}\\t${source:Version}\\n"
"""How dpkg-query is asked (dpkg-query(1)); images/guest/files/scripts/list-packages.sh writes the same."""


@dataclass(frozen=True, order=True)
class PythonPackage:
    """A package that a lock names.

    Attributes:
        name: As PEP 503 normalizes it.
        version: What is installed.
        hashes: SHA-256 of each file that it may come from.
    """

    name: str
    version: str
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True, order=True)
class DebianPackage:
    """An installed package of the distribution.

    Attributes:
        name: Of the package itself.
        version: Its own.
        architecture: Such as `amd64`, or `all`.
        source: The source package, by which the distribution counts vulnerabilities.
        source_version: Its version, which may differ.
    """

    name: str
    version: str
    architecture: str
    source: str
    source_version: str

    @property
    def tracked(self) -> tuple[str, str]:
        """Source package and version that the distribution counts vulnerabilities by.

        The kernel is built as `linux` and signed as another source package, whose version is written differently; the
        package keeps that of `linux` (Debian kernel handbook, chapter 5).
        """
        return (
            ("linux", self.version) if self.source.startswith("linux-signed-") else (self.source, self.source_version)
        )


def python_packages(
    folders: CatalogFolders, graph: ImageGraph, release: Release, image: str
) -> tuple[PythonPackage, ...]:
    """What the locks of an image, and of those that it starts from, install into it."""
    names = [parent.name for parent in graph.parents(image)] + [image]
    files = ("tools.txt",) if image == BUILDER else ("packages.txt", "source.txt")
    found = {}
    for name in names:
        folder = lock_folder(folders, release.name, name)
        compiled = {**read_lock(lock_folder(folders, release.name, BUILDER) / "source.txt"), **wheels(folder)}
        for file in files:
            for pin in read_lock(folder / file).values():
                hashes = pin.hashes or compiled[pin.name].hashes
                found[pin.name] = PythonPackage(pin.name, pin.version, hashes)
    return tuple(sorted(found.values()))


def wheels(folder: Path) -> Lock:
    """The hashed sources of what an image compiles itself."""
    return read_lock(folder / "wheels.txt")


def read_lock(path: Path) -> Lock:
    """The pins of a lock; none where there is no such file."""
    return parse_lock(path.read_text()) if path.exists() else {}


def debian_packages(image: Image, reference: str) -> tuple[DebianPackage, ...]:
    """What of the distribution is inside a built image."""
    if not image.file.packages:
        return parse_packages(run_in_image(reference, ["dpkg-query", "--show", "--showformat", LISTED]))
    with tempfile.TemporaryDirectory(prefix="labctl-packages-") as folder:
        copy_out(reference, [image.file.packages], Path(folder))
        return parse_packages((Path(folder) / image.file.packages).read_text())


def parse_packages(listed: str) -> tuple[DebianPackage, ...]:
    """The packages of a list that are installed; dpkg knows of others too, whose configuration stayed."""

    def installed() -> Iterator[DebianPackage]:
        for line in listed.splitlines():
            status, *fields = line.split("\t")
            if status == "installed":
                yield DebianPackage(*fields)

    return tuple(sorted(set(installed())))
