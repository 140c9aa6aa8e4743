"""`labctl build` up to the point at which the engine is needed: choice of images, the written context, what is kept."""

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labctl.build.contents import Contents, Inside, labels_of, read_contents, write_contents
from labctl.build.images import BuildPlace, BuildRequest, build_input, chosen, render_only_to, write_context
from labctl.build.rootfs import Rootfs, rootfs_reference
from labctl.catalog.folders import catalog_folders
from labctl.catalog.image import load_images
from labctl.catalog.release import load_release, releases
from labctl.errors import BadInput
from labctl.render.images import Naming

FOLDERS = catalog_folders()
GRAPH = load_images(FOLDERS)
RELEASE = load_release(FOLDERS, releases(FOLDERS)[-1])


def request(base: str = "auto") -> BuildRequest:
    return BuildRequest((), Naming("test"), base)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_images_are_built_in_build_order_whatever_order_they_are_named_in() -> None:
    assert chosen(GRAPH, ["mariadb", "base", "nova"]) == ("base", "nova", "mariadb")


def test_without_names_everything_that_a_lab_needs_is_built() -> None:
    everything = chosen(GRAPH, ())
    assert set(everything) == {image.name for image in GRAPH.runtime()}
    assert "builder" not in everything
    assert "guest" in everything


def test_profiles_add_their_images_to_those_that_are_named_or_to_all() -> None:
    graph = replace(GRAPH, brought_by={"keys": ["keystone"], "seats": ["placement"]})
    assert "keystone" not in chosen(graph, ())
    assert set(chosen(graph, (), ["keys"])) - set(chosen(graph, ())) == {"keystone"}
    assert chosen(graph, ["memcached"], ["keys"]) == tuple(n for n in GRAPH.names if n in ("memcached", "keystone"))
    assert chosen(graph, ["placement"]) == ("placement",)


def test_an_unknown_image_is_refused_with_the_nearest_that_there_is() -> None:
    with pytest.raises(BadInput, match="no image 'novaa'") as caught:
        chosen(GRAPH, ["nova", "novaa"])
    assert caught.value.remedy == "did you mean 'nova'?"


def test_rendering_alone_writes_the_whole_context_and_the_same_one_again(tmp_path: Path) -> None:
    folder, place = tmp_path / "context", BuildPlace(tmp_path / "cache")
    for _ in range(2):
        render_only_to(folder, FOLDERS, GRAPH, RELEASE, request(), place)
        files = tree(folder)
        assert {f"{image.name}/Dockerfile" for image in GRAPH.images} <= set(files)
    target = json.loads(files["docker-bake.json"])["target"]["nova"]
    assert target["tags"] == ["labctl/nova:test"]
    assert f"FROM {rootfs_reference(RELEASE.debian)} AS base" in files["nova/Dockerfile"].decode()
    assert not place.context.exists()


def test_an_image_of_ones_own_is_the_base(tmp_path: Path) -> None:
    folder = tmp_path / "context"
    render_only_to(folder, FOLDERS, GRAPH, RELEASE, request("example.org/debian:mine"), BuildPlace(tmp_path / "cache"))
    assert "FROM example.org/debian:mine AS base" in (folder / "base" / "Dockerfile").read_text()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "thesis.txt").write_text("years")
    with pytest.raises(BadInput, match="is not empty, and no build context"):
        render_only_to(folder, FOLDERS, GRAPH, RELEASE, request(), BuildPlace(tmp_path / "cache"))
    assert tree(folder) == {"thesis.txt": b"years"}


def test_an_empty_folder_may_be_rendered_into(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    render_only_to(folder, FOLDERS, GRAPH, RELEASE, request(), BuildPlace(tmp_path / "cache"))
    assert (folder / "docker-bake.json").is_file()


def test_files_of_the_context_may_be_read_by_anyone_and_scripts_run(tmp_path: Path) -> None:
    place = BuildPlace(tmp_path)
    write_context(place, build_input(FOLDERS, GRAPH, RELEASE, request(), place, Rootfs("x")))
    for path in place.context.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        runs = path.is_dir() or path.read_bytes().startswith(b"#!")
        assert mode == (0o755 if runs else 0o644), path
    assert stat.S_IMODE(place.secrets.stat().st_mode) == 0o700


def test_what_was_found_inside_is_kept_and_becomes_labels(tmp_path: Path) -> None:
    place = BuildPlace(tmp_path / "2042.1")
    assert read_contents(place.contents) == Contents({})
    found = Contents({"mariadb": Inside(layers=("sha256:a",), labels={"org.labctl.version.mariadb": "11.8"})})
    write_contents(place.contents, found)
    assert read_contents(place.contents) == found
    assert labels_of(found) == {"mariadb": {"org.labctl.version.mariadb": "11.8"}}
    build = build_input(FOLDERS, GRAPH, RELEASE, request(), place, Rootfs("x"))
    assert build.contents == labels_of(found)


def test_what_a_registry_gave_is_told_by_labels_and_a_renewal_goes_past_the_build_cache(tmp_path: Path) -> None:
    made = datetime(2042, 1, 1, tzinfo=UTC)
    rootfs = Rootfs("x", made, "debian@sha256:" + "a" * 64)
    place = BuildPlace(tmp_path / "2042.1")
    build = build_input(FOLDERS, GRAPH, RELEASE, request(), place, rootfs)
    write_context(place, build)
    assert 'ARG PACKAGES_SINCE="2042-01-01T00:00:00+00:00"' in (place.context / "nova" / "Dockerfile").read_text()
    labels = json.loads((place.context / "docker-bake.json").read_text())["target"]["nova"]["labels"]
    assert labels["org.opencontainers.image.base.digest"] == "sha256:" + "a" * 64
    assert labels["org.opencontainers.image.base.name"] == "debian"
