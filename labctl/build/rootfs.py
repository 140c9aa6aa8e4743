"""The base root filesystem: the distribution's own image where a registry answers, else made with mmdebstrap."""

import os
import shutil
from enum import StrEnum
from pathlib import Path

from labctl.build.machine import MIRROR_VARIABLE
from labctl.engine.images import fetch_image, image_id, import_image, registry_has
from labctl.engine.process import CommandFailed, run
from labctl.errors import BuildFailed
from labctl.events import Emit, Note, step

LEFT_OUT = ("doc", "man", "info", "locale", "lintian")
"""Folders of /usr/share that a container has no use for; copyright files stay."""


class Base(StrEnum):
    """Where the base root filesystem comes from, besides an image that is named outright."""

    AUTO = "auto"
    REGISTRY = "registry"
    MMDEBSTRAP = "mmdebstrap"


def ensure_rootfs(choice: str, debian: str, cache: Path, emit: Emit) -> str:
    """Makes sure that the base root filesystem is there as an image.

    Args:
        choice: One of `Base`, or the reference of an image of the user's own.
        debian: The suite.
        cache: Where a root filesystem made by mmdebstrap is kept.
        emit: Told about the step.

    Returns:
        The image's reference.

    Raises:
        BuildFailed: It could be neither fetched nor made.
    """
    if choice not in list(Base):
        return choice
    reference = rootfs_reference(debian)
    wanted = Base(choice)
    if wanted is Base.AUTO and image_id(reference):
        return reference
    with step(emit, "base root filesystem") as found:
        source = f"debian:{debian}-slim"
        if wanted is Base.REGISTRY or (wanted is Base.AUTO and registry_has(source)):
            fetch_image(source, reference)
            found.text = source
            return reference
        if wanted is Base.AUTO:
            emit(Note("No registry answers: the base root filesystem is made with mmdebstrap."))
        archive = make_archive(debian, cache)
        import_image(archive, reference, f"Debian {debian}, made with mmdebstrap")
        found.text = f"mmdebstrap, {archive.stat().st_size / 1e6:.0f} MB"
    return reference


def rootfs_reference(debian: str) -> str:
    """What the base root filesystem is called as an image."""
    return f"labctl/rootfs:{debian}"


def make_archive(debian: str, cache: Path) -> Path:
    """Makes the root filesystem as a tar file, or takes the one made before.

    Raises:
        BuildFailed: mmdebstrap is missing or failed.
    """
    archive = cache / f"rootfs-{debian}.tar"
    if archive.exists():
        return archive
    if not shutil.which("mmdebstrap"):
        raise BuildFailed(
            "mmdebstrap is not installed, and no registry answers.",
            remedy="Run `make setup`, or name an image of your own: `labctl build --base IMAGE`.",
        )
    cache.mkdir(parents=True, exist_ok=True)
    unfinished = archive.with_suffix(".unfinished.tar")
    mirror = os.environ.get(MIRROR_VARIABLE, "")
    paths = [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in LEFT_OUT]
    try:
        run(
            [
                *("mmdebstrap", "--variant=minbase", "--include=ca-certificates"),
                *(*paths, "--dpkgopt=path-include=/usr/share/doc/*/copyright"),
                "--customize-hook=rm -rf $1/var/lib/apt/lists/* $1/var/cache/apt/* $1/var/log/*",
                # A mirror is this machine's business: images keep Debian's own sources, or none.
                *(["--customize-hook=rm -f $1/etc/apt/sources.list"] if mirror else []),
                *(debian, str(unfinished), *([mirror] if mirror else [])),
            ]
        )
    except CommandFailed as error:
        unfinished.unlink(missing_ok=True)
        raise BuildFailed(f"mmdebstrap made no root filesystem of {debian}.", evidence=error.evidence) from None
    unfinished.rename(archive)
    return archive
