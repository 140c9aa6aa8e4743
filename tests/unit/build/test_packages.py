"""What an image holds: the locks of its parents and its own, and what dpkg lists."""

import pytest

from labctl.build.packages import LISTED, DebianPackage, parse_packages, python_packages
from labctl.catalog.folders import catalog_folders
from labctl.catalog.image import load_images
from labctl.catalog.release import load_release, releases

FOLDERS = catalog_folders()
GRAPH = load_images(FOLDERS)
RELEASE = load_release(FOLDERS, releases(FOLDERS)[-1])


def names(image: str) -> set[str]:
    return {package.name for package in python_packages(FOLDERS, GRAPH, RELEASE, image)}


def test_an_image_has_what_its_parents_have_and_what_is_compiled_for_it() -> None:
    assert names("python") < names("nova") < names("nova-compute")
    assert "libvirt-python" in names("nova-compute") - names("nova")
    assert {"nova", "netifaces"} <= names("nova")
    assert "django-pyscss" in names("horizon")


def test_images_without_python_have_no_packages_of_it_and_the_builder_its_tools() -> None:
    assert names("memcached") == set()
    assert {"uv", "setuptools"} <= names("builder")


@pytest.mark.parametrize("image", GRAPH.names)
def test_every_package_has_hashes(image: str) -> None:
    assert all(package.hashes for package in python_packages(FOLDERS, GRAPH, RELEASE, image))


def test_what_dpkg_lists_is_read_and_what_was_removed_is_left_out() -> None:
    listed = "installed\tbash\t5.2.15-2+b2\tamd64\tbash\t5.2.15-2\nconfig-files\tvim\t2:9\tamd64\tvim\t2:9\n"
    assert parse_packages(listed) == (DebianPackage("bash", "5.2.15-2+b2", "amd64", "bash", "5.2.15-2"),)


def test_the_guest_lists_its_packages_as_dpkg_is_asked_for_those_of_others() -> None:
    folder = FOLDERS.images / "guest"
    script = (folder / "files" / "scripts" / "list-packages.sh").read_text()
    wanted = LISTED.replace("${db:Status-Status}", "installed")
    assert wanted in script
    assert wanted in (folder / "Dockerfile.j2").read_text()


def test_the_signed_kernel_is_tracked_as_linux_and_other_packages_by_their_source() -> None:
    signed = "linux-signed-amd64"
    kernel = DebianPackage("linux-image-6.1.0-57-cloud-amd64", "6.1.192-3", "amd64", signed, "6.1.192+3")
    assert kernel.tracked == ("linux", "6.1.192-3")
    assert DebianPackage("libc6", "1+b1", "amd64", "glibc", "1").tracked == ("glibc", "1")
