"""The base root filesystem: the distribution's own image where a registry answers, else made with mmdebstrap.

It is renewed once a week, and what is made of it with it: packages that are installed on top are then taken from the
distribution again, and not from the build cache.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from labctl.build.machine import MIRROR_VARIABLE
from labctl.engine.images import ImageSeen, fetch_image, import_image, registry_digest, see_image
from labctl.engine.process import CommandFailed, run
from labctl.errors import BuildFailed
from labctl.events import Emit, Note, step

LEFT_OUT = ("doc", "man", "info", "locale", "lintian")
"""Folders of /usr/share that a container has no use for; copyright files stay."""
RENEWED_AFTER = timedelta(weeks=1)
MADE = "org.labctl.rootfs.made"
"""Label of an image that was imported: when its content was made, which may be long before the import."""


class Base(StrEnum):
    """Where the base root filesystem comes from, besides an image that is named outright."""

    AUTO = "auto"
    REGISTRY = "registry"
    MMDEBSTRAP = "mmdebstrap"


@dataclass(frozen=True)
class Rootfs:
    """The base root filesystem as an image.

    Attributes:
        reference: What it is called.
        made: When it was made, or fetched; None for an image of the user's own.
        digest: `NAME@sha256:...` of a registry; empty where it comes from none.
    """

    reference: str
    made: datetime | None = None
    digest: str = ""

    @property
    def labels(self) -> Mapping[str, str]:
        """OCI's labels of what an image is made on."""
        name, _, digest = self.digest.partition("@")
        if not digest:
            return {}
        return {"org.opencontainers.image.base.name": name, "org.opencontainers.image.base.digest": digest}


def ensure_rootfs(choice: str, debian: str, cache: Path, emit: Emit, *, pull: bool = False) -> Rootfs:
    """Makes sure that the base root filesystem is there as an image, and not older than a week.

    Args:
        choice: One of `Base`, or the reference of an image of the user's own.
        debian: The suite.
        cache: Where a root filesystem made by mmdebstrap is kept.
        emit: Told about the step.
        pull: Renew it however old it is.

    Raises:
        BuildFailed: It could be neither fetched nor made. Where there is an older one that nobody wanted renewed at
            once, that is taken, and said.
    """
    if choice not in list(Base):
        return Rootfs(choice)
    reference, wanted = rootfs_reference(debian), Base(choice)
    there, now = rootfs_seen(reference), datetime.now(UTC)
    if there and wanted is Base.AUTO and not pull and is_fresh(there.made, now):
        return there
    try:
        with step(emit, "base root filesystem") as found:
            found.text = make_rootfs(wanted, debian, cache, emit, None if pull else now)
    except BuildFailed as error:
        if there is None or pull or wanted is not Base.AUTO:
            raise
        emit(Note(f"The base root filesystem of {there.made:%Y-%m-%d} is taken: it could not be renewed. {error.what}"))
        return there
    made = rootfs_seen(reference)
    if made is None:
        raise BuildFailed(f"The engine has no image {reference}, which was just made.")
    return made


def make_rootfs(wanted: Base, debian: str, cache: Path, emit: Emit, now: datetime | None) -> str:
    """Fetches or makes it; returns what it was made from, for people.

    Args:
        wanted: Where it comes from.
        debian: The suite.
        cache: Where archives are kept.
        emit: Told where no registry answers.
        now: An archive that was made less than a week before is taken again; None: none is.
    """
    source, reference = f"debian:{debian}-slim", rootfs_reference(debian)
    digest = None if wanted is Base.MMDEBSTRAP else registry_digest(source)
    if wanted is Base.REGISTRY and digest is None:
        raise BuildFailed(f"No registry gives {source}.", remedy="`labctl build --base mmdebstrap` needs none.")
    if digest:
        # By digest: what is fetched is what was asked about, and can be told afterwards.
        fetch_image(f"{source.partition(':')[0]}@{digest}", reference)
        return f"{source}, {digest}"
    if wanted is Base.AUTO:
        emit(Note("No registry answers: the base root filesystem is made with mmdebstrap."))
    archive = make_archive(debian, cache, now)
    made = {MADE: written(archive).isoformat()}
    import_image(archive, reference, f"Debian {debian}, made with mmdebstrap", made)
    return f"mmdebstrap, {archive.stat().st_size / 1e6:.0f} MB"


def rootfs_reference(debian: str) -> str:
    """What the base root filesystem is called as an image."""
    return f"labctl/rootfs:{debian}"


def rootfs_seen(reference: str) -> Rootfs | None:
    """The root filesystem that the engine has; None where it has none."""
    image = see_image(reference)
    return Rootfs(reference, made_at(image), next(iter(image.digests), "")) if image else None


def made_at(image: ImageSeen) -> datetime:
    """When the content was made; of an image from a registry, when it was fetched: its maker's date says nothing."""
    return datetime.fromisoformat(image.labels[MADE]) if MADE in image.labels else image.tagged


def is_fresh(made: datetime | None, now: datetime) -> bool:
    """Whether something that was made then need not be renewed yet."""
    return made is not None and now - made < RENEWED_AFTER


def written(path: Path) -> datetime:
    """When a file was written."""
    return datetime.fromtimestamp(int(path.stat().st_mtime), UTC)


def make_archive(debian: str, cache: Path, now: datetime | None) -> Path:
    """Makes the root filesystem as a tar file, or takes the one that was made less than a week before `now`.

    Raises:
        BuildFailed: mmdebstrap is missing or failed; the one made before stays.
    """
    archive = cache / f"rootfs-{debian}.tar"
    if now and archive.exists() and is_fresh(written(archive), now):
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
