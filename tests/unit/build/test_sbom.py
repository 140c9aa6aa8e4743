"""Software bills of materials: what is in them, that the schema takes them, and that an image has one bill."""

import json
from datetime import UTC, datetime

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from labctl.build.packages import DebianPackage, python_packages
from labctl.build.sbom import bill_of_materials
from labctl.catalog.folders import catalog_folders
from labctl.catalog.image import load_images
from labctl.catalog.release import load_release, releases
from labctl.engine.images import ImageSeen

FOLDERS = catalog_folders()
GRAPH = load_images(FOLDERS)
RELEASE = load_release(FOLDERS, releases(FOLDERS)[-1])
MADE = datetime(2042, 1, 1, 12, tzinfo=UTC)
SEEN = ImageSeen(layers=("sha256:a", "sha256:b"), labels={}, created=MADE, tagged=MADE, digests=())
DEBIAN = (
    DebianPackage("libc6", "2.36-9+deb12u9", "amd64", "glibc", "2.36-9+deb12u9"),
    DebianPackage("ncurses-base", "6.4-4", "all", "ncurses", "6.4-4"),
)


def bill(image: str = "nova", seen: ImageSeen = SEEN) -> str:
    locked = python_packages(FOLDERS, GRAPH, RELEASE, image)
    return bill_of_materials(f"labctl/{image}:{RELEASE.name}", seen, RELEASE.debian, locked, DEBIAN)


@pytest.mark.parametrize("image", GRAPH.names)
def test_the_bill_of_each_image_is_as_the_schema_of_cyclonedx_says(image: str) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill(image)) is None


def test_a_bill_names_the_image_and_each_package_once_with_version_and_address() -> None:
    content = json.loads(bill())
    assert content["metadata"]["component"] == {
        "bom-ref": f"labctl/nova:{RELEASE.name}",
        "name": "labctl/nova",
        "type": "container",
        "version": RELEASE.name,
    }
    purls = [component["purl"] for component in content["components"]]
    assert len(purls) == len(set(purls))
    locked = {f"pkg:pypi/{pin.name}@{pin.version}" for pin in python_packages(FOLDERS, GRAPH, RELEASE, "nova")}
    assert {purl for purl in purls if purl.startswith("pkg:pypi/")} == locked
    libc, ncurses = sorted(purl for purl in purls if purl.startswith("pkg:deb/"))
    assert libc.startswith("pkg:deb/debian/libc6@2.36-9%2Bdeb12u9?arch=amd64&distro=")
    assert "upstream=ncurses%406.4-4" in ncurses
    [image] = [entry for entry in content["dependencies"] if entry["ref"] == f"labctl/nova:{RELEASE.name}"]
    assert set(image["dependsOn"]) == set(purls)


def test_the_hashes_are_those_of_the_lock() -> None:
    locked = {pin.name: pin.hashes for pin in python_packages(FOLDERS, GRAPH, RELEASE, "nova-compute")}
    content = json.loads(bill("nova-compute"))
    for component in content["components"]:
        if component["purl"].startswith("pkg:pypi/"):
            [files] = component["externalReferences"]
            assert sorted(entry["content"] for entry in files["hashes"]) == sorted(locked[component["name"]])


def test_the_same_image_has_the_same_bill_and_another_one_another() -> None:
    other = ImageSeen(layers=("sha256:a", "sha256:c"), labels={}, created=MADE, tagged=MADE, digests=())
    assert bill() == bill()
    assert json.loads(bill())["metadata"]["timestamp"] == MADE.isoformat()
    assert json.loads(bill())["serialNumber"] != json.loads(bill(seen=other))["serialNumber"]


def test_without_packages_a_bill_is_valid_too() -> None:
    text = bill_of_materials("labctl/x:1", SEEN, "bookworm", (), ())
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
