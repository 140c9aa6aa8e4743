"""`labctl build --sbom`: a software bill of materials for each image that was built."""

from collections.abc import Iterable
from pathlib import Path

from labctl.build.packages import debian_packages, python_packages
from labctl.build.sbom import bill_of_materials
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import ImageGraph
from labctl.catalog.release import Release
from labctl.engine.images import see_image
from labctl.errors import NotFound
from labctl.events import Emit, step
from labctl.files import write_file
from labctl.render.images import Naming


def write_bills(
    folder: Path,
    folders: CatalogFolders,
    graph: ImageGraph,
    release: Release,
    naming: Naming,
    images: Iterable[str],
    emit: Emit,
) -> None:
    """Writes NAME.cdx.json for each image, which is how CycloneDX calls such files.

    Raises:
        NotFound: An image is not there.
    """
    with step(emit, "bills of materials") as found:
        for name in images:
            reference = naming.reference(name)
            seen = see_image(reference)
            if seen is None:
                raise NotFound(f"There is no image {reference}.", remedy=f"Run `labctl build {name}`.")
            locked = python_packages(folders, graph, release, name)
            installed = debian_packages(graph[name], reference)
            text = bill_of_materials(reference, seen, release.debian, locked, installed)
            write_file(folder / f"{name}.cdx.json", text.encode(), 0o644)
        found.text = str(folder)
