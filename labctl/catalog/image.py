"""The images of a catalog: what image.yaml says, and the order in which images need each other."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from labctl.catalog.folders import CatalogFolders
from labctl.catalog.profile import load_profiles
from labctl.catalog.yaml_model import read_yaml_model
from labctl.errors import BadInput

ROOTFS = "rootfs"
"""The parent of the images that start from the bare root filesystem of the distribution."""


class ImageFile(BaseModel):
    """The schema of images/NAME/image.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    description: str
    parent: str = Field(alias="from")
    uses: tuple[str, ...] = ()
    """Images whose files the Dockerfile mounts or copies."""
    python: tuple[str, ...] = ()
    """Requirements, locked by `labctl lock`, installed into the shared virtual environment."""
    schemas: tuple[str, ...] = ()
    """Images whose database migrations this image holds the result of."""
    versions: Mapping[str, str] = {}
    """Label name to the Debian package whose version it states."""
    packages: str = ""
    """Of an image without dpkg: the file at its root that lists the Debian packages which its content is from."""
    runtime: bool = True
    """False for images that no lab needs: they serve to make others, or run beside a lab."""
    artifact: bool = False
    """Holds files that labctl takes out; no container runs it."""


@dataclass(frozen=True)
class Image:
    """An image of the catalog.

    Attributes:
        name: Its folder's name, and the name of its last build stage.
        folder: images/NAME.
        file: What image.yaml says.
    """

    name: str
    folder: Path
    file: ImageFile

    @property
    def needs(self) -> tuple[str, ...]:
        """The images that must be built first."""
        parents = () if self.file.parent == ROOTFS else (self.file.parent,)
        return (*parents, *self.file.uses)


@dataclass(frozen=True)
class ImageGraph:
    """All images of a catalog.

    Attributes:
        images: In an order in which each comes after what it needs.
        brought_by: Profile to the images that only labs with it need.
    """

    images: tuple[Image, ...]
    brought_by: Mapping[str, Collection[str]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Image:
        return next(image for image in self.images if image.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in build order."""
        return tuple(image.name for image in self.images)

    def closure(self, name: str) -> tuple[Image, ...]:
        """The image and everything it needs, directly or not, in build order."""
        wanted = {name}
        for image in reversed(self.images):
            if image.name in wanted:
                wanted.update(image.needs)
        return tuple(image for image in self.images if image.name in wanted)

    def parents(self, name: str) -> tuple[Image, ...]:
        """The chain of `from`, nearest first, without the image itself."""
        chain: list[Image] = []
        parent = self[name].file.parent
        while parent != ROOTFS:
            chain.append(self[parent])
            parent = self[parent].file.parent
        return tuple(chain)

    @property
    def of_profiles(self) -> frozenset[str]:
        """The images that only labs with some profile need."""
        return frozenset(image for images in self.brought_by.values() for image in images)

    def runtime(self, profiles: Collection[str] = ()) -> tuple[Image, ...]:
        """The images that a lab with some profiles needs: those that containers run, and artifacts."""
        brought = {image for profile in profiles for image in self.brought_by.get(profile, ())}
        left_out = self.of_profiles - brought
        return tuple(image for image in self.images if image.file.runtime and image.name not in left_out)

    def containers(self, profiles: Collection[str] = ()) -> tuple[Image, ...]:
        """The images that containers of such a lab run."""
        return tuple(image for image in self.runtime(profiles) if not image.file.artifact)


def load_images(folders: CatalogFolders) -> ImageGraph:
    """Reads every images/NAME/image.yaml, and which of them only profiles need.

    Raises:
        BadInput: A file is malformed, names an image that is not there, or the images need each other in a circle.
    """
    files = sorted(folders.images.glob("*/image.yaml"))
    images = {
        file.parent.name: Image(file.parent.name, file.parent, read_yaml_model(file, ImageFile)) for file in files
    }
    profiles = load_profiles(folders).files
    for name, profile in profiles.items():
        for image in profile.images:
            if image not in images:
                raise BadInput(
                    f"The profile {name!r} brings the image {image!r}, which is not in the catalog.",
                    evidence=[str(folders.profiles / f"{name}.yaml")],
                    remedy=f"The catalog has: {', '.join(images)}.",
                )
    return ImageGraph(sort_images(images.values()), {name: profile.images for name, profile in profiles.items()})


def sort_images(images: Iterable[Image]) -> tuple[Image, ...]:
    """Puts images in build order; those that do not need each other stay in the order given.

    Raises:
        BadInput: An image needs one that is not there, or the images need each other in a circle.
    """
    by_name = {image.name: image for image in images}
    for image in by_name.values():
        for need in image.needs:
            if need not in by_name:
                raise BadInput(
                    f"The image {image.name!r} needs {need!r}, which is not in the catalog.",
                    evidence=[str(image.folder / "image.yaml")],
                    remedy=f"The catalog has: {', '.join(by_name)}.",
                )
    try:
        order = list(TopologicalSorter({name: image.needs for name, image in by_name.items()}).static_order())
    except CycleError as error:
        raise BadInput("Images need each other in a circle: " + " -> ".join(error.args[1])) from None
    return tuple(by_name[name] for name in order)
