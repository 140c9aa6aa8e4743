"""The build context: one Dockerfile for each image, the files they copy, the locks, and docker-bake.json."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import Image, ImageGraph
from labctl.catalog.release import Release, lock_folder
from labctl.errors import BadInput
from labctl.render.templates import Templates, templates_of


@dataclass(frozen=True)
class Naming:
    """How built images are called: `[registry/]labctl/NAME:TAG`."""

    tag: str
    registry: str = ""

    def reference(self, image: str) -> str:
        """The full name of one image."""
        prefix = f"{self.registry.rstrip('/')}/" if self.registry else ""
        return f"{prefix}labctl/{image}:{self.tag}"


@dataclass(frozen=True)
class BuildInput:
    """Everything that the build context is made of.

    Attributes:
        folders: The catalog.
        graph: Its images.
        release: The release to build.
        rootfs: Reference of the base root filesystem's image.
        packages_since: When that was renewed; packages that were installed before are installed again.
        naming: How the results are called.
        secrets: BuildKit secret id to a file on this machine.
        provenance: Image name to labels that say where it comes from.
        contents: Image name to labels that say what the distribution's packages inside are.
    """

    folders: CatalogFolders
    graph: ImageGraph
    release: Release
    rootfs: str
    naming: Naming
    packages_since: str = ""
    secrets: Mapping[str, Path] = field(default_factory=dict)
    provenance: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    contents: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def render_build_context(build: BuildInput) -> dict[str, bytes]:
    """Renders the folder that `docker buildx bake -f docker-bake.json` works in.

    Raises:
        BadInput: A template is wrong, or a lock is missing.
    """
    templates = templates_of(build.folders.images)
    files: dict[str, bytes] = {}
    stages = {image.name: render_stages(templates, build, image) for image in build.graph.images}
    for image in build.graph.images:
        parts = [stages[needed.name] for needed in build.graph.closure(image.name)]
        head = f"# syntax is BuildKit's own. Rendered from images/{image.name}/Dockerfile.j2; do not edit.\n"
        files[f"{image.name}/Dockerfile"] = "\n".join([head, *parts]).encode()
        files.update(plain_files(image))
        files.update(lock_files(build, image))
    files["docker-bake.json"] = (json.dumps(bake_definition(build), indent=2) + "\n").encode()
    return files


def render_stages(templates: Templates, build: BuildInput, image: Image) -> str:
    """The stages of one image, its own last."""
    return templates.render(
        f"{image.name}/Dockerfile.j2",
        image=image.name,
        parent=image.file.parent,
        rootfs=build.rootfs,
        packages_since=build.packages_since,
        debian=build.release.debian,
        python=build.release.python,
        release=build.release.name,
        schemas=image.file.schemas,
    )


def plain_files(image: Image) -> dict[str, bytes]:
    """The files beside image.yaml and Dockerfile.j2, at the same place in the build context."""
    skipped = {image.folder / "image.yaml", image.folder / "Dockerfile.j2"}
    paths = sorted(path for path in image.folder.rglob("*") if path.is_file() and path not in skipped)
    return {f"{image.name}/{path.relative_to(image.folder)}": path.read_bytes() for path in paths}


def lock_files(build: BuildInput, image: Image) -> dict[str, bytes]:
    """The locks of one image, at locks/NAME/ in the build context.

    Raises:
        BadInput: An image with requirements has no lock for this release.
    """
    folder = lock_folder(build.folders, build.release.name, image.name)
    if image.file.python and not folder.is_dir():
        raise BadInput(
            f"The image {image.name!r} has no lock for the release {build.release.name}.",
            evidence=[f"{folder} is not there"],
            remedy=f"Run `labctl lock --release {build.release.name}`.",
        )
    return {f"locks/{image.name}/{path.name}": path.read_bytes() for path in sorted(folder.glob("*.txt"))}


def bake_definition(build: BuildInput) -> dict[str, object]:
    """The content of docker-bake.json."""
    secrets = [f"id={name},src={path}" for name, path in sorted(build.secrets.items())]
    return {
        "group": {"default": {"targets": [image.name for image in build.graph.runtime()]}},
        "target": {
            image.name: {
                "context": ".",
                "dockerfile": f"{image.name}/Dockerfile",
                "target": image.name,
                "tags": [build.naming.reference(image.name)],
                "labels": dict(sorted(labels(build, image).items())),
                "secret": secrets,
            }
            for image in build.graph.images
        },
    }


def labels(build: BuildInput, image: Image) -> dict[str, str]:
    """The labels of one image: OCI's own, what is inside, and the stamps of the schemas it needs or holds."""
    found = {
        "org.opencontainers.image.title": f"labctl/{image.name}",
        "org.opencontainers.image.description": image.file.description,
        "org.opencontainers.image.version": build.release.name,
        **build.provenance.get(image.name, {}),
        **build.contents.get(image.name, {}),
    }
    found.update(python_versions(build, image))
    for needed in {image.name, *image.file.schemas} if image.file.schemas else {image.name}:
        if needed in schema_images(build.graph):
            found[f"org.labctl.schema.{needed}"] = schema_stamp(build, build.graph[needed])
    return found


def schema_images(graph: ImageGraph) -> frozenset[str]:
    """The images whose migrations another image holds the result of."""
    return frozenset(name for image in graph.images for name in image.file.schemas)


def schema_stamp(build: BuildInput, image: Image) -> str:
    """What a schema was migrated by: a digest of everything that its service's image installs."""
    digest = hashlib.sha256()
    for part in (*reversed(build.graph.parents(image.name)), image):
        for name, content in lock_files(build, part).items():
            digest.update(name.encode() + b"\0" + content)
    return digest.hexdigest()[:16]


def python_versions(build: BuildInput, image: Image) -> dict[str, str]:
    """Labels with the versions of the packages that image.yaml names, as locked."""
    wanted = {requirement.lower().replace("_", "-") for requirement in image.file.python}
    found = {}
    for part in (*build.graph.parents(image.name), image):
        for content in lock_files(build, part).values():
            for line in content.decode().splitlines():
                name, separator, rest = line.partition("==")
                if separator and name.lower() in wanted:
                    found[f"org.labctl.version.{name}"] = rest.split()[0]
    return found
