"""The releases of a catalog: images/locks/RELEASE/release.yaml and the locks beside it."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from labctl.catalog.folders import CatalogFolders
from labctl.catalog.yaml_model import read_yaml_model
from labctl.errors import BadInput


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
    overrides: tuple[str, ...] = ()
    """Requirements that replace what the constraints say."""
    tools: tuple[str, ...] = ()
    """What the image `builder` installs to do its work."""
    source_builds: tuple[str, ...] = ()
    """Packages that are compiled from source in the image `builder`."""


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
