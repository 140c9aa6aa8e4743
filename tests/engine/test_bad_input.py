"""Bad input: a clear message, a stable exit code, and nothing half-done."""

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from labctl.bringup.machine import CONTROL_PLANE_MB, NODE_MB, available_memory_mb
from labctl.errors import BadInput, EngineUnavailable, MachineConflict, NotFound
from tests.conftest import ROOT, Built
from tests.lab.commands import LABCTL, Ran, docker, execute, labctl, labelled

NAME = "bad-input"
NETWORK = "labctl-test-taken"
TAKEN, RANGE = "10.253.249.0/24", "10.253.248.0/22"
NOBODY = 65534
USAGE = 2
"""Click's own exit code for a wrong command line, the same as that of BadInput."""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    """A state folder of its own; what a test must not have made is removed, and the test fails for it."""
    folder = tmp_path / "state"
    yield folder
    left = labelled(NAME)
    made = [str(path) for path in folder.glob("labctl/labs/*")]
    if made or any(left.values()):
        labctl("down", "--name", NAME, env=environment(folder))
    assert made == []
    assert left == {"containers": [], "networks": [], "volumes": []}


def environment(state: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "XDG_STATE_HOME": str(state), **more}


def refused(ran: Ran, code: int, *texts: str) -> None:
    """A message for people: the exit code, what it must say, no traceback, and no "bug"."""
    assert ran.code == code, str(ran)
    for text in texts:
        assert text in ran.err, str(ran)
    assert "Traceback" not in ran.err + ran.out
    assert "labctl has a bug" not in ran.err


def write(folder: Path, text: str) -> str:
    path = folder / "lab.yaml"
    path.write_text(text)
    return str(path)


def up(state: Path, *arguments: str, **more: str) -> Ran:
    return labctl("up", *arguments, "--progress", "plain", env=environment(state, **more), timeout=120)


# The command line.


@pytest.mark.parametrize("nodes", ["0", "65", "-1"])
def test_node_count_out_of_range(state: Path, nodes: str) -> None:
    refused(up(state, "--name", NAME, "--nodes", nodes), BadInput.exit_code, "1 to 64")


def test_node_count_that_is_no_number(state: Path) -> None:
    refused(up(state, "--name", NAME, "--nodes", "two"), USAGE, "--nodes")


def test_name_that_no_lab_can_have(state: Path) -> None:
    refused(up(state, "--name", "Bad_Input"), BadInput.exit_code, "Bad_Input", "bad-input")


def test_unknown_command_and_option(state: Path) -> None:
    refused(labctl("upp", env=environment(state)), USAGE, "upp")
    refused(labctl("up", "--nodez", "2", env=environment(state)), USAGE, "--nodez", "--nodes")


def test_unknown_image(state: Path) -> None:
    ran = labctl("build", "glanse", env=environment(state))
    refused(ran, BadInput.exit_code, "'glanse'", "did you mean 'glance'?")


def test_unknown_release(state: Path) -> None:
    ran = labctl("build", "--release", "2024.3", env=environment(state))
    refused(ran, BadInput.exit_code, "'2024.3'", "2024.2")


@pytest.mark.parametrize("command", [["status"], ["down"], ["demo"], ["openrc"], ["logs", "nova-api"], ["exec", "net"]])
def test_unknown_lab(state: Path, command: list[str]) -> None:
    verb, *rest = command
    refused(labctl(verb, "--name", "nosuch", *rest, env=environment(state)), NotFound.exit_code, "nosuch")


def test_no_lab_at_all(state: Path) -> None:
    refused(labctl("openstack", "token", "issue", env=environment(state)), NotFound.exit_code, "labctl up")


# The lab file.


@pytest.mark.parametrize(
    ("text", "where", "says"),
    [
        ("nodes: [1\n", ":2:1:", "expected"),
        ("name: bad-input\nnodez: 2\n", ":2:1: nodez:", "did you mean 'nodes'?"),
        ("name: bad-input\nnodes: 65\n", ":2:8: nodes:", "1 to 64"),
        ("name: bad-input\nnodes: 0\n", ":2:8: nodes:", "1 to 64"),
        ("name: bad-input\nconfiguration:\n  novaa: []\n", ":3:3: configuration.novaa:", "did you mean 'nova'?"),
        ("name: bad-input\nconfiguration:\n  nova: [no.conf]\n", ":3:10: configuration.nova[0]:", "no such file"),
        ("name: bad-input\naddress_range: 8.8.8.0/22\n", ":2:16: address_range:", "private /22"),
        ("- nodes\n", ":1:1:", "keys and values"),
    ],
)
def test_lab_file_with_a_mistake(state: Path, tmp_path: Path, text: str, where: str, says: str) -> None:
    path = write(tmp_path, text)
    refused(up(state, "--file", path), BadInput.exit_code, f"{path}{where}", says)


def test_lab_file_that_is_not_there(state: Path, tmp_path: Path) -> None:
    refused(up(state, "--file", str(tmp_path / "none.yaml")), BadInput.exit_code, "none.yaml", "cannot be read")


def test_lab_file_with_an_unknown_release(state: Path, tmp_path: Path) -> None:
    path = write(tmp_path, "name: bad-input\nrelease: 2024.3\n")
    refused(up(state, "--file", path), BadInput.exit_code, "'2024.3'", "2024.2")


# The machine.


def test_address_range_that_is_taken(built: Built, state: Path, tmp_path: Path) -> None:
    path = write(tmp_path, f"name: {NAME}\naddress_range: {RANGE}\n")
    docker("network", "create", "--subnet", TAKEN, NETWORK)
    try:
        ran = up(state, "--file", path)
    finally:
        docker("network", "rm", NETWORK)
    refused(ran, MachineConflict.exit_code, RANGE, TAKEN)


def test_too_little_memory(built: Built, state: Path) -> None:
    needed = CONTROL_PLANE_MB + 65 * NODE_MB
    if available_memory_mb() >= needed:
        pytest.skip(f"this machine has the {needed} MB of the largest lab")
    refused(up(state, "--name", NAME, "--nodes", "64"), MachineConflict.exit_code, "memory", f"{needed} MB")


def test_images_that_are_not_built(state: Path, tmp_path: Path) -> None:
    catalog = tmp_path / "catalog"
    for name in ("images", "config-templates", "compose"):
        shutil.copytree(ROOT / name, catalog / name)
    release = catalog / "images/locks/2024.2/release.yaml"
    other = catalog / "images/locks/unbuilt"
    shutil.copytree(release.parent, other)
    (other / "release.yaml").write_text(release.read_text().replace('name: "2024.2"', "name: unbuilt"))
    path = write(tmp_path, f"name: {NAME}\nrelease: unbuilt\n")
    ran = up(state, "--file", path, LABCTL_CATALOG=str(catalog))
    refused(ran, BadInput.exit_code, "labctl/keystone:unbuilt", "labctl build")


def test_a_catalog_that_is_none(state: Path, tmp_path: Path) -> None:
    ran = up(state, "--name", NAME, LABCTL_CATALOG=str(tmp_path))
    refused(ran, BadInput.exit_code, str(tmp_path), "LABCTL_CATALOG")


# The engine.

USES_ENGINE = [["up", "--name", NAME], ["down", "--name", NAME], ["build"], ["list"], ["engine", "status"]]


@pytest.mark.parametrize("command", USES_ENGINE, ids=" ".join)
def test_no_engine(state: Path, tmp_path: Path, command: list[str]) -> None:
    where = f"unix://{tmp_path}/nothing.sock"
    ran = labctl(*command, env=environment(state, DOCKER_HOST=where), timeout=60)
    refused(ran, EngineUnavailable.exit_code, where)


@pytest.mark.parametrize("command", USES_ENGINE, ids=" ".join)
def test_no_permission_on_the_socket(state: Path, tmp_path: Path, command: list[str]) -> None:
    ran = without_permission(command, environment(state), tmp_path)
    refused(ran, EngineUnavailable.exit_code, "no permission")


def without_permission(command: list[str], variables: Mapping[str, str], folder: Path) -> Ran:
    """Runs labctl as somebody who may not use the engine's socket: root turns into nobody, others get a locked one."""
    if os.geteuid() == 0:
        nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        home = {"HOME": "/nonexistent", "XDG_STATE_HOME": "/nonexistent/state", "XDG_CACHE_HOME": "/nonexistent/cache"}
        return execute([*nobody, str(LABCTL), *command], env={**variables, **home}, timeout=60, cwd=Path("/"))
    path = folder / "locked.sock"
    with socket.socket(socket.AF_UNIX) as locked:
        locked.bind(str(path))
        locked.listen()
        path.chmod(0)
        return labctl(*command, env={**variables, "DOCKER_HOST": f"unix://{path}"}, timeout=60)
