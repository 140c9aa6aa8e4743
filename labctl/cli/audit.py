"""`labctl audit`."""

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.cli.build import RELEASE
from labctl.ui import Progress

if TYPE_CHECKING:
    from labctl.build.audit import Audit, DebianHolders, Holders
    from labctl.build.osv import Vulnerability
    from labctl.catalog.folders import CatalogFolders
    from labctl.catalog.image import ImageGraph
    from labctl.catalog.release import Release
    from labctl.render.images import Naming


SHOWN = 4
"""How many images are named that have the same package."""


def audit(
    release: Annotated[str, typer.Option("--release", help="The OpenStack release.")] = RELEASE,
    locks_only: Annotated[
        bool, typer.Option("--locks-only", help="Python packages of the locks; built images are not looked into.")
    ] = False,
    show_all: Annotated[bool, typer.Option("--all", help="List what nobody has a fix for, too.")] = False,
    registry: Annotated[str, typer.Option("--registry", help="Prefix of the images' names.")] = "",
    tag: Annotated[str | None, typer.Option("--tag", help="The images' tag; default: the release.")] = None,
    database: Annotated[
        str | None, typer.Option("--database", help="Another OSV API: the address of its `query`.", metavar="URL")
    ] = None,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Check packages for known vulnerabilities: exit code 15 where there is a fix, 14 where nobody could be asked."""
    from labctl.build.audit import audit as ask
    from labctl.build.naming import naming
    from labctl.build.osv import DATABASE
    from labctl.catalog.folders import catalog_folders
    from labctl.catalog.image import load_images
    from labctl.catalog.release import load_release
    from labctl.errors import VULNERABLE
    from labctl.events import step
    from labctl.lab.state import cache_root
    from labctl.ui import listener

    folders = catalog_folders()
    graph, found = load_images(folders), load_release(folders, release)
    asked = database or DATABASE
    with listener(progress, sys.stderr) as emit:
        locked = python_holders(folders, graph, found)
        installed = {} if locks_only else debian_holders(graph, naming(release, tag, registry))
        with step(emit, f"ask {asked}") as evidence:
            result = ask(locked, installed, found.accepted, cache_root() / "audit", asked)
            evidence.text = counted(result)
    for line in report(result, show_all=show_all):
        typer.echo(line)
    if not installed and not locks_only:
        typer.echo("No image is built: packages of the distribution were not looked at.", err=True)
    if result.to_mend:
        raise typer.Exit(VULNERABLE)


def python_holders(folders: "CatalogFolders", graph: "ImageGraph", release: "Release") -> "Holders":
    """The locks: of each image, and labctl's own."""
    from labctl.build.packages import PythonPackage, python_packages, read_lock

    own = read_lock(folders.root / "requirements.txt").values()
    return {
        **{name: python_packages(folders, graph, release, name) for name in graph.names},
        "labctl": tuple(PythonPackage(pin.name, pin.version, pin.hashes) for pin in own),
    }


def debian_holders(graph: "ImageGraph", naming: "Naming") -> "DebianHolders":
    """What is installed in the images that are built."""
    from labctl.build.packages import debian_packages
    from labctl.cli.build import require_engine
    from labctl.engine.images import see_image

    require_engine()
    return {
        image.name: debian_packages(image, naming.reference(image.name))
        for image in graph.images
        if see_image(naming.reference(image.name))
    }


def report(result: "Audit", *, show_all: bool) -> Iterator[str]:
    """What was found, for people."""
    yield from section("There is a fix for:", result.to_mend)
    yield from section("Known, and left as it is:", result.accepted)
    if show_all:
        yield from section("Nobody has a fix yet for:", result.without_fix)
    yield counted(result)


def section(title: str, found: Iterable["Vulnerability"]) -> Iterator[str]:
    """A list under a title; nothing where there is nothing."""
    lines = [line for each in found for line in described(each)]
    if lines:
        yield title
        yield from (f"  {line}" for line in lines)


def described(found: "Vulnerability") -> Iterator[str]:
    """One vulnerability in a line, and why it is left, if it is."""
    fixed = f", fixed in {' or '.join(found.fixed_in)}" if found.fixed_in else ""
    yield f"{found.package} {found.version} ({shortened(found.where)}): {found.advisory}{fixed}: {found.summary}"
    if found.accepted:
        yield f"  {found.accepted}"


def shortened(names: tuple[str, ...]) -> str:
    """Some names, and how many more there are: what is in the image `base` is in all."""
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def counted(result: "Audit") -> str:
    """The figures in one line."""
    return (
        f"{result.python} Python packages and {result.debian} source packages of Debian; vulnerabilities with a fix: "
        f"{len(result.to_mend)}, accepted: {len(result.accepted)}, without a fix: {len(result.without_fix)}"
    )
