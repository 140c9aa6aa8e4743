"""The profiles of a catalog: what they need, what they bring, and what is refused with file and line."""

from pathlib import Path

import pytest

from labctl.catalog.folders import CatalogFolders, catalog_folders
from labctl.catalog.image import load_images
from labctl.catalog.profile import Profiles, load_profiles
from labctl.errors import BadInput


def catalog(root: Path, **profiles: str) -> CatalogFolders:
    """A catalog of two images and these profiles."""
    for name in ("plain", "extra"):
        (root / "images" / name).mkdir(parents=True)
        (root / "images" / name / "image.yaml").write_text(f"description: {name}\nfrom: rootfs\n")
    (root / "compose" / "profiles").mkdir(parents=True)
    for name, text in profiles.items():
        (root / "compose" / "profiles" / f"{name}.yaml").write_text(f"description: {name}\n{text}")
    return CatalogFolders(root)


def load(root: Path, **profiles: str) -> Profiles:
    return load_profiles(catalog(root, **profiles))


def test_what_is_needed_comes_along_and_first(tmp_path: Path) -> None:
    found = load(tmp_path, a="needs: [c]\n", b="", c="needs: [d]\n", d="")
    assert found.closure(["a"]) == ("d", "c", "a")
    assert found.closure(["b", "c"]) == tuple(name for name in found.names if name in "bcd")
    assert found.closure([]) == ()
    assert found.needing("d", ["a", "b", "d"]) == ("a",)


def test_images_of_profiles_are_not_those_of_every_lab(tmp_path: Path) -> None:
    graph = load_images(catalog(tmp_path, a="images: [extra]\n"))
    assert [image.name for image in graph.runtime()] == ["plain"]
    assert {image.name for image in graph.containers(["a"])} == {"plain", "extra"}
    assert graph.of_profiles == {"extra"}


def test_a_value_of_the_lab_file_may_need_one_of_several(tmp_path: Path) -> None:
    found = load(tmp_path, a="enables: {images: [rbd]}\n", b="enables: {images: [rbd, nfs]}\n")
    assert found.enabling("images", "rbd") == ("a", "b")
    assert found.enabling("images", "nfs") == ("b",)
    assert found.enabling("images", "local") == ()


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("needs: [gone]\n", "'a' needs 'gone', which is not in the catalog"),
        ("needs: [b]\n", "need each other in a circle: "),
        ("need: [b]\n", "does not fit its schema"),
        ("images: [gone]\n", "'a' brings the image 'gone', which is not in the catalog"),
    ],
)
def test_a_wrong_profile_is_refused(tmp_path: Path, text: str, what: str) -> None:
    with pytest.raises(BadInput) as caught:
        load_images(catalog(tmp_path, a=text, b="needs: [a]\n"))
    assert what in caught.value.what


def test_a_mistake_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load(tmp_path, a="need: [b]\n")
    assert caught.value.evidence[0].startswith(f"{tmp_path}/compose/profiles/a.yaml:2: need: ")


def test_every_profile_of_the_real_catalog_has_a_template_or_needs_others() -> None:
    folders = catalog_folders()
    for name, profile in load_profiles(folders).files.items():
        assert (folders.profiles / f"{name}.yaml.j2").exists() or profile.needs, name
