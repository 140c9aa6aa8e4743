"""`down` where there is no whole lab: what is half there goes, by its labels alone, and nothing else does."""

import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.lab.state import LabState
from tests.conftest import Built
from tests.lab.commands import docker, labctl


@pytest.fixture
def token() -> Iterator[str]:
    """A word that everything of a test has in its name; what is left of it is removed."""
    token = uuid.uuid4().hex[:8]
    yield token
    for kind, format_ in (("container", "{{.Names}}"), ("network", "{{.Name}}"), ("volume", "{{.Name}}")):
        names = docker(kind, "ls", *(["--all"] if kind == "container" else []), "--format", format_).split()
        for name in names:
            if token in name:
                subprocess.run([*("docker", kind, "rm"), name], capture_output=True, check=False)


@pytest.fixture
def image(built: Built) -> str:
    return built.reference("memcached")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def make(token: str, image: str, *labels: str) -> None:
    options = [option for label in labels for option in ("--label", label)]
    docker("network", "create", "--internal", *options, f"{token}-network")
    docker("volume", "create", *options, f"{token}-volume")
    docker("create", "--name", f"{token}-container", "--volume", f"{token}-volume:/x", *options, image, "x")


def of_lab(name: str) -> tuple[str, str]:
    return f"org.labctl.lab={name}", f"com.docker.compose.project=labctl-{name}"


def there(token: str) -> set[str]:
    containers = docker("ps", "--all", "--format", "{{.Names}}").split()
    networks = docker("network", "ls", "--format", "{{.Name}}").split()
    volumes = docker("volume", "ls", "--format", "{{.Name}}").split()
    return {name.removeprefix(f"{token}-") for name in (*containers, *networks, *volumes) if token in name}


ALL = {"container", "network", "volume"}


def test_a_lab_whose_state_folder_is_gone(token: str, image: str) -> None:
    make(token, image, *of_lab(f"lost-{token}"))
    assert there(token) == ALL
    listed = labctl("list").out
    assert "only on the engine" in next(line for line in listed.splitlines() if token in line)
    ran = labctl("down", "--name", f"lost-{token}")
    assert ran.code == 0, str(ran)
    assert there(token) == set()


def test_a_project_that_is_called_as_a_labs_is_somebodys(token: str, image: str) -> None:
    make(token, image, f"com.docker.compose.project=labctl-web-{token}")
    assert token not in labctl("list").out
    ran = labctl("down", "--name", f"web-{token}")
    assert ran.code == 8, str(ran)
    assert there(token) == ALL


def test_a_lab_of_which_there_is_a_state_folder_at_most(token: str) -> None:
    state = LabState(f"half-{token}")
    state.rendered.mkdir(parents=True)  # interrupted before the lab file was written
    assert "only state" in labctl("list").out
    ran = labctl("down")
    assert ran.code == 0, str(ran)
    assert not state.folder.exists()


def test_somebody_elses_container_in_a_network_of_the_lab_is_named(token: str, image: str) -> None:
    make(token, image, *of_lab(f"used-{token}"))
    docker("create", "--name", f"{token}-guest", "--volume", f"{token}-volume:/x", image, "x")
    ran = labctl("down", "--name", f"used-{token}")
    assert ran.code == 4, str(ran)
    assert f"{token}-guest" in ran.err
    assert there(token) == {*ALL, "guest"}
    docker("rm", f"{token}-guest")
    assert labctl("down", "--name", f"used-{token}").code == 0
    assert there(token) == set()
