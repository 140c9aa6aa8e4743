"""The releases of a catalog: found, read, and refused where they are wrong."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from labctl.catalog.folders import CatalogFolders, catalog_folders
from labctl.catalog.image import load_images
from labctl.catalog.release import load_release, lock_folder, releases
from labctl.errors import BadInput

GOOD = """\
name: "2024.2"
codename: dalmatian
debian: bookworm
python: "3.11"
constraints: /constraints.txt
"""


def catalog(root: Path, **files: str) -> CatalogFolders:
    for name, text in files.items():
        folder = root / "images" / "locks" / name
        folder.mkdir(parents=True)
        (folder / "release.yaml").write_text(text)
    return CatalogFolders(root)


def test_a_release_is_read(tmp_path: Path) -> None:
    release = load_release(
        catalog(tmp_path, **{"2024.2": GOOD + "overrides: [{requirement: a==1, reason: b}]\n"}), "2024.2"
    )
    assert (release.name, release.debian, release.python) == ("2024.2", "bookworm", "3.11")
    assert (release.overriding, release.tools, release.source_builds) == (("a==1",), (), ())


def test_releases_are_listed_newest_last(tmp_path: Path) -> None:
    folders = catalog(tmp_path, **{"2025.1": GOOD, "2023.2": GOOD, "2024.2": GOOD})
    (folders.locks / "unfinished").mkdir()
    assert releases(folders) == ("2023.2", "2024.2", "2025.1")


def test_an_unknown_release_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no release '2042\.1'") as caught:
        load_release(catalog(tmp_path, **{"2024.1": GOOD, "2024.2": GOOD}), "2042.1")
    assert caught.value.remedy == "There are: 2024.1, 2024.2."


def test_a_name_that_yaml_reads_as_a_number_is_refused_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load_release(catalog(tmp_path, **{"2024.2": GOOD.replace('"3.11"', "3.11")}), "2024.2")
    [line] = caught.value.evidence
    assert line.startswith(f"{tmp_path}/images/locks/2024.2/release.yaml:4: python: ")


def test_an_unknown_key_is_refused_at_its_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load_release(catalog(tmp_path, **{"2024.2": GOOD + "\noverides: []\n"}), "2024.2")
    assert caught.value.evidence[0].partition("release.yaml:")[2].startswith("7: overides: ")


def test_the_releases_of_the_catalog_have_a_lock_for_each_image_that_needs_one() -> None:
    folders = catalog_folders()
    assert releases(folders)
    for name in releases(folders):
        assert load_release(folders, name).name == name
        for image in load_images(folders).images:
            if image.file.python:
                assert (lock_folder(folders, name, image.name) / "packages.txt").is_file(), f"{name}: {image.name}"


def test_an_override_without_a_reason_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load_release(catalog(tmp_path, **{"2024.2": GOOD + "overrides: [{requirement: a==1}]\n"}), "2024.2")
    assert "overrides.0.reason" in caught.value.evidence[0]


@pytest.mark.parametrize("name", releases(catalog_folders()))
def test_what_an_override_or_an_exception_names_is_an_advisory(name: str) -> None:
    release = load_release(catalog_folders(), name)
    mended = [advisory for override in release.overrides for advisory in override.mends]
    left = [accepted.advisory for accepted in release.accepted]
    assert all(re.fullmatch(r"(CVE|PYSEC|GHSA)-[0-9a-z-]+", advisory) for advisory in mended + left)
    assert not set(mended) & set(left)


@pytest.mark.parametrize("name", releases(catalog_folders()))
def test_every_override_is_in_a_lock(name: str) -> None:
    folders = catalog_folders()
    texts = [path.read_text() for path in folders.locks.glob(f"{name}/*/*.txt")]
    locked = [
        (canonicalize_name(pin.group(1)), pin.group(2))
        for text in texts
        for pin in re.finditer(r"^([\w.-]+)==([^\s;]+)", text, re.MULTILINE)
    ]
    for requirement in map(Requirement, load_release(folders, name).overriding):
        versions = [version for package, version in locked if package == canonicalize_name(requirement.name)]
        assert versions, f"{requirement} is in no lock"
        assert all(requirement.specifier.contains(version) for version in versions), str(requirement)
