"""What holds for the build context of the catalog in this checkout, whatever is in it."""

import json
import re
import shutil
from pathlib import Path

import pytest

from labctl.catalog.folders import CatalogFolders, catalog_folders
from labctl.catalog.image import load_images
from labctl.catalog.release import load_release, releases
from labctl.render.images import BuildInput, Naming, render_build_context

ROOTFS = "labctl/rootfs:test"
FOLDERS = catalog_folders()
GRAPH = load_images(FOLDERS)
RELEASES = releases(FOLDERS)
SCHEMA = "org.labctl.schema."
SCHEMAS = [(holder.name, service) for holder in GRAPH.images for service in holder.file.schemas]


def render(folders: CatalogFolders, release: str, **more: object) -> dict[str, bytes]:
    build = BuildInput(
        folders=folders,
        graph=load_images(folders),
        release=load_release(folders, release),
        rootfs=ROOTFS,
        naming=Naming(release),
        **more,  # type: ignore[arg-type]
    )
    return render_build_context(build)


CONTEXT = render(FOLDERS, RELEASES[-1])
TARGETS = json.loads(CONTEXT["docker-bake.json"])["target"]


def instructions(image: str) -> list[str]:
    """The instructions of a rendered Dockerfile, continued lines joined, without comments."""
    text = "\n".join(line for line in CONTEXT[f"{image}/Dockerfile"].decode().splitlines() if line[:1] != "#")
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def stages(image: str) -> list[str]:
    return [match.group(1) for line in instructions(image) if (match := re.match(r"FROM \S+ AS (\S+)$", line))]


@pytest.mark.parametrize("image", GRAPH.names)
def test_a_dockerfile_stands_alone(image: str) -> None:
    known = {ROOTFS, "scratch"}
    for line in instructions(image):
        if line.startswith("FROM "):
            start, name = re.fullmatch(r"FROM (\S+) AS (\S+)", line).groups()  # type: ignore[union-attr]
            assert start in known, line
            assert name not in known, f"a second stage {name}"
            known.add(name)
        else:
            assert set(re.findall(r"\bfrom=([\w.:/-]+)", line)) <= known, line


@pytest.mark.parametrize("image", GRAPH.names)
def test_the_last_stage_is_the_image(image: str) -> None:
    assert stages(image)[-1] == image == TARGETS[image]["target"]
    assert TARGETS[image]["dockerfile"] == f"{image}/Dockerfile"


@pytest.mark.parametrize("image", GRAPH.names)
def test_stages_that_images_share_are_the_same_in_each(image: str) -> None:
    own = CONTEXT[f"{image}/Dockerfile"].decode().partition("\n")[2]
    for needed in GRAPH.closure(image):
        head, _, rest = CONTEXT[f"{needed.name}/Dockerfile"].decode().partition("\n")
        assert needed.name in head
        last = rest.rpartition(f"AS {needed.name}\n")
        assert last[1] + last[2].rstrip() in own


@pytest.mark.parametrize("image", GRAPH.names)
def test_what_is_copied_or_mounted_from_the_context_is_there(image: str) -> None:
    for line in instructions(image):
        sources = [
            match.group(1)
            for mount in re.findall(r"--mount=(\S+)", line)
            if "type=bind" in mount and "from=" not in mount and (match := re.search(r"source=([^,]+)", mount))
        ]
        if line.startswith("COPY ") and "--from=" not in line:
            sources += line.split()[1:-1]
        for source in sources:
            assert any(name == source or name.startswith(source.rstrip("/") + "/") for name in CONTEXT), line


@pytest.mark.parametrize("image", [image.name for image in GRAPH.containers(GRAPH.brought_by)])
def test_images_of_services_have_no_compiler(image: str) -> None:
    assert "builder" not in [image, *(parent.name for parent in GRAPH.parents(image))]
    own = CONTEXT[f"{image}/Dockerfile"].decode().rpartition(f"AS {image}\n")[2]
    assert not re.search(r"\b(gcc|g\+\+|build-essential|\S+-dev)\b", own)


@pytest.mark.parametrize(("holder", "service"), SCHEMAS)
def test_a_schema_and_its_service_have_the_same_stamp(holder: str, service: str) -> None:
    label = SCHEMA + service
    assert re.fullmatch("[0-9a-f]{16}", TARGETS[service]["labels"][label])
    assert TARGETS[service]["labels"][label] == TARGETS[holder]["labels"][label]


def test_schemas_are_held_by_one_image_and_stamps_differ() -> None:
    services = [service for _, service in SCHEMAS]
    assert len(set(services)) == len(services) > 1
    assert len({TARGETS[service]["labels"][SCHEMA + service] for service in services}) == len(services)


@pytest.mark.parametrize(("holder", "service"), SCHEMAS)
def test_another_lock_of_a_service_changes_its_stamp_alone(tmp_path: Path, holder: str, service: str) -> None:
    shutil.copytree(FOLDERS.images, tmp_path / "images")
    folders = CatalogFolders(tmp_path)
    lock = folders.locks / RELEASES[-1] / service / "packages.txt"
    lock.write_text(re.sub(r"sha256:[0-9a-f]", "sha256:x", lock.read_text(), count=1))
    targets = json.loads(render(folders, RELEASES[-1])["docker-bake.json"])["target"]
    for _, other in SCHEMAS:
        same = targets[holder]["labels"][SCHEMA + other] == TARGETS[holder]["labels"][SCHEMA + other]
        assert same == (other != service), other


@pytest.mark.parametrize("image", GRAPH.names)
def test_each_image_says_what_it_is(image: str) -> None:
    labels = TARGETS[image]["labels"]
    assert labels["org.opencontainers.image.title"] == f"labctl/{image}"
    assert labels["org.opencontainers.image.version"] == RELEASES[-1]
    assert labels["org.opencontainers.image.description"]


def test_requirements_that_are_named_have_a_version_label() -> None:
    for image in GRAPH.images:
        found = {name.rpartition(".")[2] for name in TARGETS[image.name]["labels"] if ".version." in name}
        for requirement in image.file.python:
            name = re.split(r"[<>=!~]", requirement)[0].lower().replace("_", "-")
            if name == requirement.lower().replace("_", "-"):
                assert name in found, f"{image.name}: {requirement}"


def test_two_renders_are_equal() -> None:
    again = render(FOLDERS, RELEASES[-1])
    assert list(again.items()) == list(CONTEXT.items())


def test_no_content_of_a_secret_is_in_any_file(tmp_path: Path) -> None:
    secrets = {}
    for name in ("download-environment", "apt-configuration", "apt-sources", "ca-bundle"):
        secrets[name] = tmp_path / name
        secrets[name].write_text(f"hunter2-{name}")
    files = render(FOLDERS, RELEASES[-1], secrets=secrets)
    assert not [name for name, content in files.items() if b"hunter2" in content]
    assert {name for name in files if files[name] != CONTEXT[name]} == {"docker-bake.json"}
    mounted = {
        name for image in GRAPH.names for name in re.findall(r"type=secret,id=([\w-]+)", str(instructions(image)))
    }
    assert mounted == set(secrets), "a secret that no build mounts, or one that no machine hands over"


@pytest.mark.parametrize("release", RELEASES)
def test_each_release_renders(release: str) -> None:
    assert f"FROM {ROOTFS} AS base" in render(FOLDERS, release)["base/Dockerfile"].decode()


@pytest.mark.parametrize("release", RELEASES)
def test_locks_are_wheels_with_hashes_and_pins_alone(release: str) -> None:
    locks = FOLDERS.locks / release
    for lock in sorted([*locks.glob("*/packages.txt"), *locks.glob("*/wheels.txt")]):
        text = lock.read_text().replace("\\\n", " ")
        for line in text.splitlines():
            if line and not line.startswith("#"):
                assert re.match(r"\S+==\S+.*--hash=sha256:[0-9a-f]{64}", line), f"{lock}: {line}"


@pytest.mark.parametrize("release", RELEASES)
def test_no_package_is_in_an_image_twice(release: str) -> None:
    for image in GRAPH.images:
        seen: dict[str, str] = {}
        for part in (*reversed(GRAPH.parents(image.name)), image):
            for lock in sorted((FOLDERS.locks / release / part.name).glob("*.txt")):
                for name in re.findall(r"^([\w.-]+)==", lock.read_text(), re.MULTILINE):
                    assert name not in seen or lock.name in ("build.txt", "wheels.txt") or part.name == "builder", (
                        f"{image.name}: {name} is in {lock} and in {seen[name]}"
                    )
                    seen[name] = str(lock)
