"""`labctl build`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui import Progress
from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.build.images import BuildPlace

RELEASE = "2024.2"


def build(
    images: Annotated[list[str] | None, typer.Argument(help="Images; default: all that a lab runs.")] = None,
    with_: Annotated[
        str | None, typer.Option("--with", help="Also the images of profiles: NAME,...", metavar="PROFILES")
    ] = None,
    release: Annotated[str, typer.Option("--release", help="The OpenStack release.")] = RELEASE,
    base: Annotated[
        str,
        typer.Option("--base", help="Base root filesystem: auto, registry, mmdebstrap, or an image of your own."),
    ] = "auto",
    pull: Annotated[
        bool, typer.Option("--pull", help="Renew the base root filesystem at once, not after a week.")
    ] = False,
    sbom: Annotated[
        Path | None,
        typer.Option(
            "--sbom", help="Write each image's software bill of materials there, as CycloneDX.", metavar="DIR"
        ),
    ] = None,
    render_only: Annotated[
        Path | None,
        typer.Option("--render-only", "--dry-run", help="Write Dockerfiles and docker-bake.json there; build nothing."),
    ] = None,
    show_list: Annotated[bool, typer.Option("--list", help="List the images and end.")] = False,
    graph: Annotated[str | None, typer.Option("--graph", help="Print the graph as dot or mermaid and end.")] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Build every step anew.")] = False,
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help="At most so many images at once.")] = None,
    push: Annotated[bool, typer.Option("--push", help="Push to --registry.")] = False,
    registry: Annotated[str, typer.Option("--registry", help="Prefix of the images' names.")] = "",
    tag: Annotated[str | None, typer.Option("--tag", help="The images' tag; default: the release.")] = None,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Build the images of a release."""
    from labctl.build.guest import export_guest
    from labctl.build.images import BuildRequest, build_images, chosen, render_only_to
    from labctl.build.naming import naming as named
    from labctl.catalog.folders import catalog_folders
    from labctl.catalog.image import load_images
    from labctl.catalog.profile import load_profiles
    from labctl.catalog.release import load_release
    from labctl.errors import BadInput
    from labctl.lab.profiles import check_names, listed
    from labctl.lab.state import cache_root
    from labctl.render.graph import draw_graph, list_images
    from labctl.ui import listener

    if push and not registry:
        raise BadInput("--push needs --registry.", remedy="For example `--registry registry.example.org/team`.")
    if sbom and (render_only or show_list or graph):
        raise BadInput("--sbom tells of images that are built, and nothing is built here.")
    folders = catalog_folders()
    loaded, found = load_images(folders), load_release(folders, release)
    known, asked = load_profiles(folders), listed(with_)
    check_names(asked, known)
    profiles = known.closure(asked)
    chosen(loaded, images or (), profiles)
    if show_list:
        say(list_images(loaded))
        return
    if graph:
        say(draw_graph(loaded, graph))
        return
    naming = named(release, tag, registry)
    request = BuildRequest(tuple(images or ()), naming, base, pull, jobs, no_cache, push, profiles)
    place = build_place(naming.tag)
    if render_only:
        render_only_to(render_only, folders, loaded, found, request, place)
        say(f"Rendered into {render_only}; build with `docker buildx bake -f docker-bake.json` there.")
        return
    require_engine()
    with listener(progress, sys.stderr) as emit:
        references = build_images(folders, loaded, found, request, place, emit)
        if naming.reference("guest") in references:
            export_guest(naming.reference("guest"), cache_root() / "guests")
        if sbom:
            from labctl.build.bills import write_bills

            write_bills(sbom, folders, loaded, found, naming, chosen(loaded, images or (), profiles), emit)
    if progress is not Progress.JSON:
        say(f"{len(references)} images are built: {', '.join(references)}", err=True)


def build_place(tag: str) -> "BuildPlace":
    """Where builds of images with a tag happen on this machine."""
    from labctl.build.images import BuildPlace
    from labctl.lab.state import cache_root

    return BuildPlace(cache_root() / "build" / tag)


def require_engine() -> None:
    """Refuses to go on without a usable engine."""
    from labctl.cli.lookup import docker_engine

    with docker_engine():
        pass
