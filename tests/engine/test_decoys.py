"""Labels are anybody's: what only claims to be a lab is not touched by `down` and `prune`, whatever it is called."""

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import docker as sdk
import pytest

from labctl.bringup import prune as pruning
from labctl.bringup.debris import Debris
from labctl.catalog.folders import catalog_folders
from tests.conftest import Built
from tests.engine.test_prune import import_image
from tests.lab.commands import docker, labctl

LAB, PROJECT, SNAPSHOT = "org.labctl.lab", "com.docker.compose.project", "org.labctl.snapshot"
TITLE = "org.opencontainers.image.title"


@pytest.fixture
def token() -> str:
    return uuid.uuid4().hex[:8]


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / "xdg" / kind))


@pytest.fixture
def client() -> Iterator[sdk.DockerClient]:
    client = sdk.from_env()
    yield client
    client.close()


@pytest.fixture
def foreign_image(token: str) -> Iterator[str]:
    """Somebody's image that says in every way that it is the lab `trap-TOKEN`."""
    name = f"trap-{token}"
    change = f'LABEL {LAB}="{name}" {PROJECT}="labctl-{name}" {TITLE}="labctl/nova" org.labctl.service="glance"'
    image = import_image(token, change, f"somebody/{token}:1")
    yield image
    subprocess.run(["docker", "image", "rm", "--force", image], capture_output=True, check=False)


@pytest.fixture
def decoys(token: str, built: Built, foreign_image: str) -> Iterator[dict[str, set[str]]]:
    """Containers, networks and volumes that are somebody's, by kind; all of them are called after the token."""
    image = built.reference("memcached")
    label_sets = {
        "dots": {LAB: "..", PROJECT: "labctl-.."},
        "slash": {LAB: "a/b", PROJECT: "labctl-a/b"},
        "foreign": {LAB: f"trap-{token}", PROJECT: "shop"},
        "project": {PROJECT: f"labctl-trap-{token}"},
        "alone": {LAB: f"trap-{token}"},
        "snapshot": {LAB: f"trap-{token}", SNAPSHOT: "s"},
    }
    try:
        for name, labels in label_sets.items():
            options = [word for key, value in labels.items() for word in ("--label", f"{key}={value}")]
            docker("network", "create", "--internal", *options, f"{token}-{name}")
            docker("volume", "create", *options, f"{token}-{name}")
            if name not in ("alone", "snapshot"):  # of labctl's own image, a container with these works for the lab
                docker("create", "--name", f"{token}-{name}", *options, image, "x")
            docker("create", "--name", f"{token}-{name}-theirs", *options, foreign_image, "x")
        docker("create", "--name", f"{token}-inherits", foreign_image, "x")
        yield there(token)
    finally:
        for kind, names in there(token).items():
            for name in names:
                subprocess.run(["docker", kind, "rm", name], capture_output=True, check=False)


def there(token: str) -> dict[str, set[str]]:
    listed = {
        "container": docker("ps", "--all", "--format", "{{.Names}}"),
        "network": docker("network", "ls", "--format", "{{.Name}}"),
        "volume": docker("volume", "ls", "--format", "{{.Name}}"),
    }
    return {kind: {name for name in names.split() if token in name} for kind, names in listed.items()}


def test_the_list_knows_none_of_them(decoys: dict[str, set[str]], token: str) -> None:
    assert {kind: len(names) for kind, names in decoys.items()} == {"container": 11, "network": 6, "volume": 6}
    ran = labctl("list")
    assert ran.code == 0, str(ran)
    assert token not in ran.out
    assert ".." not in ran.out
    assert "a/b" not in ran.out


@pytest.mark.parametrize(("name", "code"), [("..", 2), ("a/b", 2), ("trap-{}", 8)])
def test_down_touches_none_of_them(decoys: dict[str, set[str]], token: str, name: str, code: int) -> None:
    ran = labctl("down", "--name", name.format(token))
    assert ran.code == code, str(ran)
    assert there(token) == decoys


def test_down_of_a_lab_of_that_name_leaves_them(decoys: dict[str, set[str]], token: str, built: Built) -> None:
    name = f"trap-{token}"
    own = ("--label", f"{LAB}={name}", "--label", f"{PROJECT}=labctl-{name}")
    docker("network", "create", "--internal", *own, f"labctl-{name}_mgmt")
    docker("volume", "create", *own, f"labctl-{name}_mariadb")
    docker("volume", "create", "--label", f"{LAB}={name}", "--label", f"{SNAPSHOT}=s", f"labctl-{name}_snapshot-s")
    docker("create", "--name", f"{name}-glance", *own, built.reference("memcached"), "x")
    docker("create", "--name", f"{name}-helper", "--label", f"{LAB}={name}", built.reference("memcached"), "x")
    ran = labctl("down", "--name", name)
    assert ran.code == 0, str(ran)
    assert "2 containers, 1 networks, 2 volumes" in ran.err
    assert there(token) == decoys


def test_prune_touches_none_of_them(
    decoys: dict[str, set[str]], token: str, client: sdk.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = labctl("prune", "--dry-run", "--volumes")
    assert ran.code == 0, str(ran)
    assert token not in ran.out
    # All of `prune`, except that images and build cache, which others on this machine may use, stay.
    look = pruning.look

    def only_labs(*args: object, **options: bool) -> object:
        debris, inventory = look(*args, **options)  # type: ignore[arg-type]
        return Debris(labs={name: one for name, one in debris.labs.items() if token in name}), inventory

    monkeypatch.setattr(pruning, "look", only_labs)
    pruning.prune(client, catalog_folders(), lambda _: None, volumes=True)
    assert there(token) == decoys
