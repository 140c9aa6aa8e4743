"""What images hold and what they do not: no compiler, no cache, nothing of the machine that built them; true labels."""

import io
import re
import subprocess
import tarfile
from typing import Any

import pytest

from labctl.catalog.image import Image
from tests.conftest import ROOT, Built
from tests.lab.commands import docker, inspect
from tests.lab.image_look import Inside, downloads, look_inside, private_authorities, secrets_of_labs

VERSION = "org.labctl.version."
OCI = "org.opencontainers.image."
COMPILER = re.compile(
    r"(?:x86_64-linux-gnu-|aarch64-linux-gnu-)?"
    r"(?:gcc|g\+\+|cpp|cc|c\+\+|c89|c99|as|ld|ld\.bfd|ld\.gold|cc1|cc1plus|collect2|clang|clang\+\+|tcc|rustc|cargo|go)"
    r"(?:-\d+(?:\.\d+)*)?"
)
PROGRAMS = re.compile(r"/(?:s?bin|libexec|lib/gcc(?:/.*)?)/([^/]+)$")
CACHES = re.compile(r"/\.?cache/(?:pip|uv)(?:/|$)|^/var/cache/apt/.*\.deb$|^/var/lib/apt/lists/.*(?:Release|Packages)")
SETTINGS = re.compile(r"/(?:pip\.conf|uv\.toml|\.netrc|\.pip|\.curlrc)$|^/etc/apt/auth\.conf(?:$|\.d/.)")


@pytest.fixture(scope="module")
def needles(built: Built) -> list[str]:
    """What of this machine must not be in any image."""
    return [*private_authorities(), *downloads(), *secrets_of_labs()]


@pytest.fixture(scope="module")
def insides(built: Built, needles: list[str]) -> dict[str, Inside]:
    """Name to content, of the images that containers run."""
    return {image.name: look_inside(built.reference(image.name), needles) for image in built.graph.containers()}


def offending(insides: dict[str, Inside], pattern: re.Pattern[str]) -> list[str]:
    return [f"{name}: {path}" for name, inside in insides.items() for path in inside.files if pattern.search(path)]


def test_no_compiler(insides: dict[str, Inside]) -> None:
    found = [
        f"{name}: {path}"
        for name, inside in insides.items()
        for path in inside.files
        if (program := PROGRAMS.search(path)) and COMPILER.fullmatch(program.group(1))
    ]
    assert found == []
    # The pattern is not blind: every image has programs.
    assert all(any(PROGRAMS.search(path) for path in inside.files) for inside in insides.values())


def test_no_package_caches(insides: dict[str, Inside]) -> None:
    assert offending(insides, CACHES) == []


def test_no_settings_of_the_machine(insides: dict[str, Inside]) -> None:
    assert offending(insides, SETTINGS) == []
    proxies = {name: [line for line in one.sections["apt"] if "proxy" in line.lower()] for name, one in insides.items()}
    assert {name: lines for name, lines in proxies.items() if lines} == {}


def test_nothing_of_the_machine_in_any_file(insides: dict[str, Inside]) -> None:
    """Private authorities, addresses of proxies and package indexes, passwords of labs."""
    found = {name: one.sections["machine"] for name, one in insides.items()}
    assert {name: paths for name, paths in found.items() if paths} == {}


def test_nothing_of_the_machine_in_histories(built: Built, needles: list[str]) -> None:
    for name, reference in built.references.items():
        said = docker("history", "--no-trunc", reference) + docker("image", "inspect", reference)
        assert [number for number, text in enumerate(needles) if text in said] == [], name


def test_only_debians_own_authorities(insides: dict[str, Inside]) -> None:
    for name, inside in insides.items():
        assert inside.certificates("bundle"), name
        assert inside.certificates("bundle") <= inside.certificates("authorities"), name
        assert inside.sections["local authorities"] == [], name


def test_bundles_of_python_packages_are_as_published(insides: dict[str, Inside]) -> None:
    lines = {name: inside.sections["certifi"] for name, inside in insides.items() if inside.sections["python"]}
    assert all(any(line.startswith("certifi/cacert.pem") for line in found) for found in lines.values())
    assert [f"{name}: {line}" for name, found in lines.items() for line in found if line.endswith("changed")] == []


def test_no_private_keys(insides: dict[str, Inside]) -> None:
    found = {name: one.sections["keys"] for name, one in insides.items()}
    assert {name: paths for name, paths in found.items() if paths} == {}
    assert offending(insides, re.compile(r"/ssh_host_[^/]*$|/id_(?:rsa|ed25519|ecdsa)$")) == []


def test_the_guest_image_holds_the_guest_alone(built: Built) -> None:
    """It is files and no system, so it is looked at from outside; a container of it is made and never runs."""
    container = docker("create", "--network", "none", built.reference("guest"), "none").strip()
    try:
        exported = subprocess.run(["docker", "export", container], capture_output=True, check=True).stdout
    finally:
        docker("rm", container)
    with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
        sizes = {member.name: member.size for member in archive if member.isfile() and member.size}
    assert set(sizes) == {"guest.qcow2", "guest.json", "guest.packages"}


def labels_of(built: Built, image: str) -> dict[str, str]:
    found: dict[str, Any] = inspect("image", [built.reference(image)])[0]
    return found["Config"]["Labels"]


def test_every_image_says_where_it_comes_from(built: Built) -> None:
    wanted = {f"{OCI}source", f"{OCI}created", f"{OCI}version", f"{OCI}title", f"{OCI}description"}
    if (ROOT / ".git").exists():
        wanted.add(f"{OCI}revision")
    for name in built.references:
        labels = labels_of(built, name)
        assert wanted <= {key for key, value in labels.items() if value}, name
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", labels[f"{OCI}created"]), name


def test_every_image_says_what_is_inside_and_it_is_true(built: Built, insides: dict[str, Inside]) -> None:
    silent, untrue = [], []
    for image in built.graph.containers():
        labels = labels_of(built, image.name)
        stated = {key.removeprefix(VERSION): value for key, value in labels.items() if key.startswith(VERSION)}
        silent += [] if stated else [image.name]
        for name, version in stated.items():
            found = real_version(image, name, insides[image.name])
            untrue += [] if found == version else [f"{image.name}: {name} {version} is stated, {found} is there"]
    assert untrue == []
    assert silent == []


def real_version(image: Image, name: str, inside: Inside) -> str | None:
    """What dpkg or the Python package's own metadata says."""
    package = image.file.versions.get(name)
    if package:
        return inside.versions("packages").get(package)
    return inside.versions("python").get(name.lower().replace("_", "-"))
