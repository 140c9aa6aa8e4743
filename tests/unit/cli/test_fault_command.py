"""`labctl fault`: what it takes, what it shows, what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from labctl.cli import fault as module
from labctl.cli.main import app
from labctl.errors import NotFound
from labctl.fault.faults import ALL
from labctl.fault.record import Injected, keep, now
from labctl.lab.state import LabState
from tests.unit.fault.made_up_scene import scene


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabState:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(module, "scene_in", lambda name, wanted, node: scene(node or "node1"))
    lab = LabState("lab")
    lab.folder.mkdir(parents=True)
    lab.lab_file.write_text("name: lab\naddress_range: 10.77.0.0/22\n")
    return lab


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["fault", *arguments], catch_exceptions=False)


def listed(*arguments: str) -> dict[str, Any]:
    return {one["id"]: one for one in json.loads(run("list", "--json", *arguments).stdout)}


def test_all_are_listed_without_a_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert set(listed()) == {fault.id for fault in ALL}
    assert "vxlan-dropped" in run("list").stdout


def test_what_is_injected_is_marked(state: LabState) -> None:
    keep(state, Injected(id="vxlan-dropped", node="node1", since=now(), clear=()))
    assert [id for id, one in listed().items() if one["injected"]] == ["vxlan-dropped"]
    assert "injected on node1" in run("list", "--name", "lab").stdout


def test_a_dry_run_shows_the_steps_and_writes_nothing(state: LabState) -> None:
    shown = run("inject", "vxlan-dropped", "--node", "node2", "--dry-run").stdout
    assert "inject:\n  docker exec lab-node2 in-node" in shown
    assert "clear:\n  docker exec lab-node2 in-node" in shown
    assert not (state.folder / "faults.yaml").exists()


def test_a_dry_run_of_clear_shows_what_would_be_done(state: LabState) -> None:
    fault = next(one for one in ALL if one.id == "vxlan-dropped")
    keep(state, Injected(id=fault.id, node="node1", since=now(), clear=fault.change(scene()).clear))
    shown = run("clear", "--dry-run").stdout
    assert shown.startswith("vxlan-dropped on node1:\n  docker exec lab-node1 in-node")
    assert (state.folder / "faults.yaml").exists()


def test_a_lab_without_faults_has_nothing_to_clear(state: LabState) -> None:
    assert "nothing to clear" in run("clear").output


@pytest.mark.parametrize("verb", ["inject", "clear"])
def test_a_fault_that_there_is_not(state: LabState, verb: str) -> None:
    with pytest.raises(NotFound, match="no fault 'vxlan-droped'"):
        run(verb, "vxlan-droped")
