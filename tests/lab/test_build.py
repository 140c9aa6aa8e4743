"""`labctl build`: a second one does nothing and is quick, a small change rebuilds one image, and all of it is small."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, Built
from tests.lab.commands import docker, docker_json, inspect, labctl
from tests.lab.figures import counted, measured

SECOND_BUILD_LIMIT = 3.0
SIZE_LIMIT_GB = 1.6
CATALOG = ("images", "config-templates", "compose")
CHANGED = "glance"
"""Not the end of the graph: the database's image is made with its files."""


def ids(built: Built, tag: str) -> dict[str, str]:
    """Image name to id."""
    references = [reference.rsplit(":", 1)[0] + f":{tag}" for reference in built.references.values()]
    return dict(zip(built.references, (one["Id"] for one in inspect("image", references)), strict=True))


def test_a_second_build_changes_nothing(built: Built) -> None:
    before = ids(built, "2024.2")
    ran = labctl("build", "--progress", "plain")
    assert ran.code == 0, str(ran)
    assert ids(built, "2024.2") == before
    measured("labctl build, nothing changed", ran.seconds, "s", SECOND_BUILD_LIMIT)


class Copy:
    """A copy of the catalog that can be changed, its builds apart from the real ones: own tags, own cache folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "catalog"
        for name in CATALOG:
            shutil.copytree(ROOT / name, self.root / name)
        self.environment = {**os.environ, "LABCTL_CATALOG": str(self.root), "XDG_CACHE_HOME": str(folder / "cache")}

    def build(self, built: Built, tag: str) -> dict[str, str]:
        """Builds all images and returns their ids."""
        ran = labctl("build", "--tag", tag, "--progress", "plain", env=self.environment, timeout=900)
        assert ran.code == 0, str(ran)
        return ids(built, tag)

    def change(self, image: str) -> None:
        """Adds a line to a Dockerfile.j2, where its author would: before the last instruction."""
        path = self.root / "images" / image / "Dockerfile.j2"
        *lines, last = path.read_text().splitlines()
        path.write_text("\n".join([*lines, "RUN echo changed > /usr/share/labctl-test", last]) + "\n")


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Copy]:
    yield Copy(tmp_path)
    made = [f"{one['Repository']}:{one['Tag']}" for one in docker_json("images")]
    ours = [name for name in made if name.endswith((":labctl-test-same", ":labctl-test-changed"))]
    if ours:
        docker("image", "rm", *ours)


def test_a_change_in_one_dockerfile_rebuilds_that_image_alone(built: Built, copy: Copy) -> None:
    same = copy.build(built, "labctl-test-same")
    copy.change(CHANGED)
    changed = copy.build(built, "labctl-test-changed")
    assert {name for name in same if changed[name] != same[name]} == {CHANGED}


def layer_sizes(reference: str) -> dict[str, int]:
    """Layer to size. The history has a line for each layer, and others for settings, whose size is 0."""
    [image] = inspect("image", [reference])
    steps = reversed(docker_json("history", "--no-trunc", "--human=false", reference))
    makes_layer = ("RUN ", "COPY ", "ADD ", "WORKDIR ")
    sizes = [
        int(step["Size"])
        for step in steps
        if int(step["Size"]) or not step["CreatedBy"] or step["CreatedBy"].startswith(makes_layer)
    ]
    assert sum(sizes) == image["Size"], reference
    return dict(zip(image["RootFS"]["Layers"], sizes, strict=True))


def test_unique_size_of_all_images(built: Built) -> None:
    """Layers counted once."""
    sizes: dict[str, int] = {}
    for reference in built.references.values():
        sizes |= layer_sizes(reference)
    counted("images, unique size", sum(sizes.values()) / 1e9, "GB", SIZE_LIMIT_GB)
