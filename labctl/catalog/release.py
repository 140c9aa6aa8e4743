"""The releases of a catalog: images/locks/RELEASE/release.yaml and the locks beside it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from labctl.catalog.folders import CatalogFolders
from labctl.catalog.yaml_model import read_yaml_model
from labctl.errors import BadInput


class Override(BaseModel):
    """A requirement that replaces what the constraints say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    requirement: str
    reason: str
    mends: tuple[str, ...] = ()
    """Advisories that it is for."""


class Accepted(BaseModel):
    """An advisory that is known and left as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    advisory: str
    package: str
    reason: str


class Release(BaseModel):
    """The schema of release.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    codename: str
    debian: str
    """Suite of the distribution that the images are made of."""
    python: str
    """The interpreter's version in that suite; locks are resolved for it."""
    constraints: str
    """Address or path of OpenStack's upper constraints of this release."""
    overrides: tuple[Override, ...] = ()
    accepted: tuple[Accepted, ...] = ()
    tools: tuple[str, ...] = ()
    """What the image `builder` works with: uv, and everything that compiling needs."""
    source_builds: tuple[str, ...] = ()
    """Packages that are compiled from source in the image `builder`."""

    @property
    def overriding(self) -> tuple[str, ...]:
        """The requirements of the overrides."""
        return tuple(override.requirement for override in self.overrides)


def releases(folders: CatalogFolders) -> tuple[str, ...]:
    """The names of the releases, newest last."""
    return tuple(sorted(file.parent.name for file in folders.locks.glob("*/release.yaml")))


def load_release(folders: CatalogFolders, name: str) -> Release:
    """Reads one release.

    Raises:
        BadInput: There is no such release, or its file is malformed.
    """
    if name not in releases(folders):
        raise BadInput(f"There is no release {name!r}.", remedy=f"There are: {', '.join(releases(folders))}.")
    return read_yaml_model(folders.locks / name / "release.yaml", Release)


def lock_folder(folders: CatalogFolders, release: str, image: str) -> Path:
    """Where the locks of an image are: packages.txt and, where something is compiled, source.txt."""
    return folders.locks / release / image
