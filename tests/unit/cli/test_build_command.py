"""`labctl build` as far as it needs no engine: list, graph, rendered files."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labctl.catalog.folders import catalog_folders
from labctl.catalog.image import load_images
from labctl.cli.main import app

GRAPH = load_images(catalog_folders())


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in ("STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    # Whatever asks the engine fails at once.
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["build", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_list_has_one_line_for_each_image() -> None:
    assert [line.split()[0] for line in run("--list").splitlines()] == list(GRAPH.names)


def test_the_graph_is_for_drawing_tools() -> None:
    assert run("--graph", "dot").startswith("digraph images {\n")
    assert run("--graph", "mermaid").startswith("flowchart LR\n")


@pytest.mark.parametrize("option", ["--render-only", "--dry-run"])
def test_rendering_alone_needs_no_engine(tmp_path: Path, option: str) -> None:
    folder = tmp_path / "out"
    run(option, str(folder), "--registry", "registry.example.org/team", "--tag", "mine")
    target = json.loads((folder / "docker-bake.json").read_text())["target"]
    assert target["nova"]["tags"] == ["registry.example.org/team/labctl/nova:mine"]
    assert set(target) == set(GRAPH.names)


def test_without_a_tag_images_are_called_by_the_release(tmp_path: Path) -> None:
    run("--render-only", str(tmp_path / "out"))
    target = json.loads((tmp_path / "out" / "docker-bake.json").read_text())["target"]
    assert target["nova"]["tags"] == [f"labctl/nova:{target['nova']['labels']['org.opencontainers.image.version']}"]


def test_rendering_leaves_the_folders_that_builds_use_alone(tmp_path: Path) -> None:
    run("--render-only", str(tmp_path / "out"))
    assert not list((tmp_path / "CACHE").rglob("docker-bake.json"))
    assert not (tmp_path / "STATE").exists()
