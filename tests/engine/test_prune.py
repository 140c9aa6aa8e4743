"""`prune` on a real engine: what it would remove, and what not. Only what these tests made is really removed."""

import io
import subprocess
import tarfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker as sdk
import pytest

from labctl.bringup.debris import Debris
from labctl.bringup.prune import look, remove_gone_lab
from labctl.catalog.folders import catalog_folders
from labctl.engine.inventory import remove_image, remove_record, take_inventory
from labctl.lab.state import LabState
from tests.conftest import Built
from tests.lab.commands import docker, labctl

FOLDERS = catalog_folders()
OURS = 'LABEL org.opencontainers.image.title="labctl/nova"'

ROOTFS = "labctl/rootfs:bookworm"
# The first step is what tells labctl's cache from other people's (labctl/bringup/debris.py); echo does nothing.
DOCKERFILE = """\
FROM {rootfs} AS ours
RUN echo useradd --system --no-log-init --uid 64100 --gid 0 {token}
RUN echo on top of ours {token}
FROM {rootfs} AS theirs
RUN echo of somebody else {token}
FROM scratch
COPY --from=ours /etc/hostname /ours
COPY --from=theirs /etc/hostname /theirs
"""


@pytest.fixture
def token() -> str:
    return uuid.uuid4().hex[:12]


@pytest.fixture
def client() -> Iterator[sdk.DockerClient]:
    client = sdk.from_env()
    yield client
    client.close()


@pytest.fixture
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for kind in ("STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    return tmp_path


def found(client: sdk.DockerClient, *, everything: bool = False, volumes: bool = False) -> Debris:
    return look(client, FOLDERS, everything=everything, volumes=volumes)[0]


@pytest.fixture
def images(token: str) -> Iterator[dict[str, str]]:
    """Images: one that labctl leaves behind, one that somebody made on ours, a named one of ours, somebody's own."""
    made = {
        "replaced": import_image(f"{token} replaced", OURS),
        "derived": import_image(f"{token} derived", OURS, f"somebody/{token}:1"),
        "named": import_image(f"{token} named", OURS, f"labctl/nova:test-{token}"),
        "theirs": import_image(f"{token} theirs", 'LABEL title="theirs"'),
    }
    yield made
    for image in made.values():
        subprocess.run(["docker", "image", "rm", "--force", image], capture_output=True, check=False)


def import_image(content: str, change: str, name: str = "") -> str:
    """Makes an image of one file; returns its id."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo("content")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content.encode()))
    command = ["docker", "import", "--change", change, "-", *([name] if name else [])]
    return subprocess.run(command, input=archive.getvalue(), capture_output=True, check=True).stdout.decode().strip()


def test_images_of_labctl_that_nobody_uses_go_and_others_stay(
    client: sdk.DockerClient, own_folders: Path, images: dict[str, str], token: str
) -> None:
    assert set(images.values()) & {image.id for image in found(client).images} == {images["replaced"]}
    everything = {image.id for image in found(client, everything=True, volumes=True).images}
    assert set(images.values()) & everything == {images["replaced"], images["named"]}
    container = docker("create", "--name", f"user-of-{token}", images["replaced"], "x").strip()
    try:
        assert images["replaced"] not in {image.id for image in found(client, everything=True).images}
        assert remove_image(client, images["replaced"]) is False
    finally:
        docker("rm", container)
    assert remove_image(client, images["replaced"]) is True
    there = {image.id for image in take_inventory(client).images}
    assert set(images.values()) & there == set(images.values()) - {images["replaced"]}


def test_build_cache_on_labctls_base_goes_and_others_stay(
    client: sdk.DockerClient, own_folders: Path, built: Built, token: str
) -> None:
    dockerfile = own_folders / "Dockerfile"
    dockerfile.write_text(DOCKERFILE.format(rootfs=ROOTFS, token=token))
    docker("buildx", "build", "--quiet", "--file", str(dockerfile), str(own_folders))
    debris = found(client)
    ours = [record for record in debris.records if token in record.description]
    theirs = [record for record in debris.others if token in record.description]
    try:
        assert len(ours) == 2
        assert len(theirs) == 1
        for record in ours:
            remove_record(client, record.id)
        left = {record.id for record in take_inventory(client).records}
        assert left & {record.id for record in (*ours, *theirs)} == {theirs[0].id}
    finally:
        for record in (*ours, *theirs):
            remove_record(client, record.id)


def test_what_is_left_of_labs_goes_and_data_only_when_asked_for(
    client: sdk.DockerClient, own_folders: Path, token: str
) -> None:
    name = f"gone-{token}"
    label = ("--label", f"org.labctl.lab={name}", "--label", f"com.docker.compose.project=labctl-{name}")
    network = docker("network", "create", "--internal", *label, f"n-{token}").strip()
    try:
        seen = found(client).labs[name]
        assert (seen.networks, seen.volumes) == ((network,), ())
        volume = docker("volume", "create", *label, f"v-{token}").strip()
        without = found(client)
        assert name not in without.labs
        assert name in without.kept_labs
        # A lab whose data is kept: it has a state folder.
        LabState(name).folder.mkdir(parents=True)
        assert name not in found(client, volumes=True).labs
        LabState(name).folder.rmdir()
        seen = found(client, volumes=True).labs[name]
        assert remove_gone_lab(client, name, seen, take_inventory(client), lambda _: None) == 0
        assert volume not in docker("volume", "ls", "--quiet").split()
        assert network not in docker("network", "ls", "--quiet", "--no-trunc").split()
    finally:
        subprocess.run(["docker", "network", "rm", f"n-{token}"], capture_output=True, check=False)
        subprocess.run(["docker", "volume", "rm", f"v-{token}"], capture_output=True, check=False)


def test_a_dry_run_says_what_would_go_and_removes_nothing(images: dict[str, str]) -> None:
    ran = labctl("prune", "--dry-run", "--all")
    assert ran.code == 0, str(ran)
    assert "labctl/nova, replaced" in ran.out
    there = docker("image", "ls", "--all", "--quiet", "--no-trunc").split()
    assert set(images.values()) <= set(there)
