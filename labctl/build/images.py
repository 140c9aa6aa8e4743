"""`labctl build`: render, bake, look inside."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from labctl.build.bake import DEFINITION, bake, batches
from labctl.build.contents import labels_of, look_inside, read_contents, write_contents
from labctl.build.machine import build_secrets
from labctl.build.provenance import provenance
from labctl.build.rootfs import Base, Rootfs, ensure_rootfs, rootfs_reference
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import ImageGraph
from labctl.catalog.release import Release
from labctl.engine.lab_lock import teller
from labctl.errors import BadInput
from labctl.events import Emit, step
from labctl.files import write_folder
from labctl.lab.locks import locked
from labctl.lab.names import nearest
from labctl.render.images import BuildInput, Naming, render_build_context


@dataclass(frozen=True)
class BuildRequest:
    """What to build, and how.

    Attributes:
        images: Names; empty for all that a lab without profiles needs.
        naming: How the results are called.
        base: Where the base root filesystem comes from: one of `Base`, or an image's reference.
        pull: Renew the base root filesystem however old it is.
        jobs: At most so many images at once; None leaves it to BuildKit.
        no_cache: Build every step anew.
        push: Push the results.
        profiles: Profiles whose images are built as well.
    """

    images: tuple[str, ...]
    naming: Naming
    base: str = Base.AUTO
    pull: bool = False
    jobs: int | None = None
    no_cache: bool = False
    push: bool = False
    profiles: tuple[str, ...] = ()


@dataclass(frozen=True)
class BuildPlace:
    """Folders of a release's builds on this machine: the rendered context, and what is kept beside it."""

    root: Path

    @property
    def context(self) -> Path:
        """The build context."""
        return self.root / "context"

    @property
    def secrets(self) -> Path:
        """What the machine needs for downloads."""
        return self.root / "secrets"

    @property
    def contents(self) -> Path:
        """Versions found inside the images."""
        return self.root / "contents.json"


def build_images(
    folders: CatalogFolders, graph: ImageGraph, release: Release, request: BuildRequest, place: BuildPlace, emit: Emit
) -> tuple[str, ...]:
    """Builds images.

    Returns:
        The references of what was built.

    Raises:
        BadInput: There is no such image, or a template is wrong.
        BuildFailed: A step failed.
    """
    targets = chosen(graph, request.images, request.profiles)
    with locked("build", teller(emit, "images")):
        rootfs = ensure_rootfs(request.base, release.debian, place.root.parent, emit, pull=request.pull)
        build = build_input(folders, graph, release, request, place, rootfs)
        build_targets(build, targets, request, place, emit)
    return tuple(request.naming.reference(name) for name in targets)


def build_targets(
    build: BuildInput, targets: tuple[str, ...], request: BuildRequest, place: BuildPlace, emit: Emit
) -> None:
    """Renders and bakes; and bakes again, which changes labels alone, where the images hold what nobody knew yet."""
    known = read_contents(place.contents)
    write_context(place, build)
    tags = {name: request.naming.reference(name) for name in build.graph.names}
    with step(emit, f"build {len(targets)} images") as found:
        for batch in batches(targets, request.jobs):
            bake(place.context, batch, emit, no_cache=request.no_cache, push=request.push)
        found.text = ", ".join(targets)
    contents = look_inside([build.graph[name] for name in targets], tags, known)
    if contents != known:
        write_contents(place.contents, contents)
        write_context(place, replace(build, contents=labels_of(contents)))
        with step(emit, "label what is inside"):
            bake(place.context, targets, emit, push=request.push)


def render_only_to(
    folder: Path, folders: CatalogFolders, graph: ImageGraph, release: Release, request: BuildRequest, place: BuildPlace
) -> None:
    """Writes the build context into a folder of the user's and builds nothing.

    Raises:
        BadInput: The folder holds something else, or a template is wrong.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / DEFINITION).exists():
        raise BadInput(f"{folder} is not empty, and no build context.", remedy="Name a new folder.")
    rootfs = request.base if request.base not in list(Base) else rootfs_reference(release.debian)
    build = build_input(folders, graph, release, request, place, Rootfs(rootfs))
    write_folder(folder, render_build_context(build), mode=0o644)


def build_input(
    folders: CatalogFolders,
    graph: ImageGraph,
    release: Release,
    request: BuildRequest,
    place: BuildPlace,
    rootfs: Rootfs,
) -> BuildInput:
    """Everything that the build context is made of."""
    origin = provenance(folders, graph, release.name)
    return BuildInput(
        folders=folders,
        graph=graph,
        release=release,
        rootfs=rootfs.reference,
        packages_since=rootfs.made.isoformat() if rootfs.made else "",
        naming=request.naming,
        secrets=build_secrets(place.secrets, release.debian),
        provenance={name: {**labels, **rootfs.labels} for name, labels in origin.items()},
        contents=labels_of(read_contents(place.contents)),
    )


def write_context(place: BuildPlace, build: BuildInput) -> None:
    """Writes the build context. Its files may be read by anyone: `COPY` keeps their permissions."""
    write_folder(place.context, render_build_context(build), mode=0o644)


def chosen(graph: ImageGraph, names: Sequence[str], profiles: Collection[str] = ()) -> tuple[str, ...]:
    """The images to build, in build order: those that are named, or all of a lab; and those that profiles bring.

    Raises:
        BadInput: There is no such image.
    """
    for name in names:
        if name not in graph.names:
            there = f"There are: {', '.join(graph.names)}."
            raise BadInput(f"There is no image {name!r}.", evidence=[there], remedy=nearest(name, graph.names))
    brought = {image for profile in profiles for image in graph.brought_by[profile]}
    wanted = {*(names or [image.name for image in graph.runtime()]), *brought}
    return tuple(name for name in graph.names if name in wanted)
