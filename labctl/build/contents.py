"""Labels with the versions of the distribution's packages inside an image.

They are known only once an image is there. They are kept beside the build cache, so that a build that changes nothing
renders the same labels again.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel

from labctl.catalog.image import Image
from labctl.engine.images import image_layers, run_in_image


class Inside(BaseModel):
    """What was found inside one image.

    Attributes:
        layers: The layers that were looked into; labels are no part of them.
        labels: Label to version.
    """

    model_config = ConfigDict(frozen=True)

    layers: tuple[str, ...]
    labels: dict[str, str]


class Contents(RootModel[dict[str, Inside]]):
    """Image name to what was found inside."""


def labels_of(contents: Contents) -> dict[str, dict[str, str]]:
    """Image name to labels."""
    return {name: inside.labels for name, inside in contents.root.items()}


def read_contents(file: Path) -> Contents:
    """What was found last time; empty where nothing was."""
    return Contents.model_validate_json(file.read_text()) if file.exists() else Contents({})


def write_contents(file: Path, contents: Contents) -> None:
    """Keeps what was found."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(contents.model_dump_json(indent=2) + "\n")


def look_inside(images: Iterable[Image], tags: Mapping[str, str], known: Contents) -> Contents:
    """Asks dpkg inside each image that names packages in image.yaml, where its layers are not those known."""
    asked = [image for image in images if image.file.versions]
    layers = image_layers(tags[image.name] for image in asked)
    found = dict(known.root)
    for image, seen in zip(asked, layers, strict=True):
        if image.name not in found or found[image.name].layers != seen:
            found[image.name] = Inside(layers=seen, labels=package_versions(image, tags[image.name]))
    return Contents(found)


def package_versions(image: Image, reference: str) -> dict[str, str]:
    """Labels with the versions of an image's packages."""
    names = list(image.file.versions.values())
    query = ["dpkg-query", "--show", "--showformat", "${Package} ${Version}\\n", *names]
    found = dict(line.split(" ", 1) for line in run_in_image(reference, query).splitlines())
    return {f"org.labctl.version.{label}": found[package] for label, package in image.file.versions.items()}
