"""The images of a catalog: order, needs, and what is refused with file and line."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from labctl.catalog.folders import CatalogFolders, catalog_folders
from labctl.catalog.image import Image, ImageFile, ImageGraph, load_images, sort_images
from labctl.errors import BadInput


def image(name: str, parent: str = "rootfs", uses: Iterable[str] = (), **more: object) -> Image:
    file = ImageFile.model_validate({"description": name, "from": parent, "uses": tuple(uses), **more})
    return Image(name, Path("/images") / name, file)


def graph(*images: Image) -> ImageGraph:
    return ImageGraph(sort_images(images))


DIAMOND = (
    image("database", "base", ["api", "web"]),
    image("web", "python"),
    image("api", "python", ["builder"]),
    image("python", "base", ["builder"]),
    image("builder", "base"),
    image("base"),
    image("lonely"),
)


def names(images: Iterable[Image]) -> list[str]:
    return [each.name for each in images]


def test_each_image_comes_after_what_it_needs() -> None:
    order = names(sort_images(DIAMOND))
    assert sorted(order) == sorted(names(DIAMOND))
    for each in DIAMOND:
        for need in each.needs:
            assert order.index(need) < order.index(each.name), f"{each.name} needs {need}"


def test_images_that_do_not_need_each_other_stay_in_the_order_given() -> None:
    assert names(sort_images([image("b"), image("c"), image("a")])) == ["b", "c", "a"]


def test_the_order_is_the_same_each_time() -> None:
    assert {tuple(names(sort_images(DIAMOND))) for _ in range(5)} == {tuple(names(sort_images(DIAMOND)))}


def test_needs_are_the_parent_and_what_is_used_but_not_the_root_filesystem() -> None:
    found = graph(*DIAMOND)
    assert found["base"].needs == ()
    assert found["api"].needs == ("python", "builder")


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("base", {"base"}),
        ("web", {"base", "builder", "python", "web"}),
        ("database", {"base", "builder", "python", "web", "api", "database"}),
    ],
)
def test_closure_holds_what_is_needed_directly_or_not(name: str, needed: set[str]) -> None:
    closure = names(graph(*DIAMOND).closure(name))
    assert set(closure) == needed
    assert closure[-1] == name


def test_parents_are_the_chain_of_from_nearest_first() -> None:
    found = graph(*DIAMOND)
    assert names(found.parents("api")) == ["python", "base"]
    assert names(found.parents("base")) == []


def test_what_a_lab_needs_leaves_out_images_that_only_make_others() -> None:
    found = graph(image("base", runtime=False), image("guest", "base", artifact=True), image("cache", "base"))
    assert names(found.runtime()) == ["guest", "cache"]
    assert names(found.containers()) == ["cache"]


@pytest.mark.parametrize("wrong", [image("web", "pyton"), image("web", "base", ["pyton"])])
def test_an_image_that_needs_an_unknown_one_is_named_with_its_file(wrong: Image) -> None:
    with pytest.raises(BadInput, match="'web' needs 'pyton'") as caught:
        sort_images([image("base"), wrong])
    assert caught.value.evidence == ("/images/web/image.yaml",)
    assert "base, web" in caught.value.remedy


def test_images_that_need_each_other_in_a_circle_are_named() -> None:
    with pytest.raises(BadInput, match="in a circle") as caught:
        sort_images([image("a", "b"), image("b", "rootfs", ["c"]), image("c", "a"), image("d")])
    circle = caught.value.what.partition(": ")[2].split(" -> ")
    assert (set(circle), circle[0]) == ({"a", "b", "c"}, circle[-1])


def catalog(root: Path, **files: str) -> CatalogFolders:
    for name, text in files.items():
        folder = root / "images" / name
        folder.mkdir(parents=True)
        (folder / "image.yaml").write_text(text)
    return CatalogFolders(root)


def test_images_are_read_from_their_folders(tmp_path: Path) -> None:
    folders = catalog(tmp_path, web="description: Pages\nfrom: base\n", base="description: Base\nfrom: rootfs\n")
    (tmp_path / "images" / "no-image").mkdir()
    found = load_images(folders)
    assert found.names == ("base", "web")
    assert found["web"].folder == tmp_path / "images" / "web"
    assert found["web"].file.description == "Pages"


@pytest.mark.parametrize(
    ("text", "place", "key"),
    [
        ("description: x\nfrom: rootfs\nuse: [a]\n", 3, "use"),
        ("description: x\n\n# no parent\n", 1, "from"),
        ("description: x\nfrom: rootfs\nuses:\n  - a\n  - [b]\n", 5, "uses.1"),
        ("description: x\nfrom: rootfs\nruntime: perhaps\n", 3, "runtime"),
        ("description: x\nfrom: rootfs\nversions:\n  a: b\n  c: [d]\n", 5, "versions.c"),
    ],
)
def test_a_mistake_in_a_file_is_named_with_its_line(tmp_path: Path, text: str, place: int, key: str) -> None:
    with pytest.raises(BadInput, match="does not fit its schema") as caught:
        load_images(catalog(tmp_path, web=text))
    [line] = caught.value.evidence
    assert line.startswith(f"{tmp_path}/images/web/image.yaml:{place}: {key}: ")


def test_all_mistakes_of_a_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load_images(catalog(tmp_path, web="description: x\nform: rootfs\nruntime: perhaps\n"))
    assert {line.split(": ")[1] for line in caught.value.evidence} == {"from", "form", "runtime"}


def test_a_file_that_is_not_yaml_is_named_with_line_and_column(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"image\.yaml is not YAML") as caught:
        load_images(catalog(tmp_path, web="description: x\nfrom: [rootfs\nuses: y\n"))
    assert caught.value.evidence[0].startswith(f"{tmp_path}/images/web/image.yaml:3:5: ")


def test_the_catalog_is_the_checkout_or_what_the_environment_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LABCTL_CATALOG", raising=False)
    assert catalog_folders().root == Path(__file__).parents[3]
    catalog(tmp_path, base="description: x\nfrom: rootfs\n")
    monkeypatch.setenv("LABCTL_CATALOG", str(tmp_path))
    assert catalog_folders().images == tmp_path / "images"


def test_a_folder_that_is_no_catalog_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABCTL_CATALOG", str(tmp_path))
    with pytest.raises(BadInput, match="holds no catalog") as caught:
        catalog_folders()
    assert "LABCTL_CATALOG" in caught.value.remedy
