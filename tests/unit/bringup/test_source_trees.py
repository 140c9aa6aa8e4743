"""Source trees: what is one, its version, and what an editable install of it would write."""

import importlib.metadata
import json
import subprocess
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from labctl.bringup import describe_source, source
from labctl.bringup.prepare import make_plan
from labctl.bringup.source import check_tree, projects, read_trees, version_from_git
from labctl.bringup.up import runtime_references, somewhere
from labctl.catalog.folders import catalog_folders
from labctl.engine.process import CommandFailed, Completed
from labctl.errors import BadInput
from labctl.events import Event, Note
from labctl.lab.file import LabFile
from labctl.lab.state import LabState

FOLDERS = catalog_folders()
REFERENCES = runtime_references(FOLDERS, "test")
ANSWER: dict[str, Any] = {
    "site_packages": "/site-packages",
    "metadata": {"nova-1.0.dist-info/METADATA": "Name: nova\n"},
    "scripts": {},
    "migrations": [],
}


def make_tree(folder: Path, project: str = "nova") -> Path:
    (folder / project).mkdir(parents=True)
    (folder / project / "__init__.py").touch()
    (folder / "setup.cfg").write_text(f"[metadata]\nname = {project}\n")
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that look at trees; all trees give ANSWER."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> Completed:
        commands.append(list(command))
        return Completed(tuple(command), 0, json.dumps(ANSWER), "", 0.1)

    monkeypatch.setattr(source, "run", run)
    return commands


def read(lab: LabFile, emit: Any = lambda event: None) -> dict[str, Any]:
    return dict(read_trees(FOLDERS, lab, somewhere(LabState(lab.name), lab, REFERENCES), emit))


def test_a_tree_is_looked_at_once_without_a_network_and_read_only(tmp_path: Path, asked: list[list[str]]) -> None:
    tree = make_tree(tmp_path / "nova")
    found = read(LabFile(sources={"nova": tree}))
    assert set(found) == {"nova-api", "nova-conductor", "nova-scheduler", "nova-novncproxy", "node1-nova-compute"}
    assert {each.path for each in found.values()} == {tree}
    (command,) = asked
    assert command[command.index("--network") + 1] == "none"
    assert f"type=bind,source={tree},target=/src/nova,readonly" in command
    assert "labctl/nova:test" in command


def test_every_tree_is_looked_at_in_an_image_of_its_project(tmp_path: Path, asked: list[list[str]]) -> None:
    trees = {name: make_tree(tmp_path / name, name) for name in ("nova", "keystone")}
    other = make_tree(tmp_path / "other")
    found = read(LabFile(sources={**trees, "nova-compute": other}))
    assert found["node1-nova-compute"].path == other
    images = sorted(next(word for word in command if word.startswith("labctl/")) for command in asked)
    assert images == ["labctl/keystone:test", "labctl/nova-compute:test", "labctl/nova:test"]


def test_a_lab_without_sources_asks_nothing(asked: list[list[str]]) -> None:
    assert read(LabFile()) == {}
    assert asked == []


def test_a_service_that_is_none_is_a_mistake_of_the_lab_file(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="sources: There is no service 'novaa'") as caught:
        read(LabFile(sources={"novaa": tmp_path}))
    assert "nova" in caught.value.remedy


def test_migrations_that_the_lab_has_not_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = {**ANSWER, "migrations": ["db/migrations/versions/1_new.py"]}
    monkeypatch.setattr(source, "run", lambda command, **_: Completed((), 0, json.dumps(answer), "", 0.1))
    events: list[Event] = []
    read(LabFile(sources={"nova-api": make_tree(tmp_path / "nova")}), events.append)
    warnings = [event.text for event in events if isinstance(event, Note) and event.level == "warning"]
    assert len(warnings) == 1
    assert "1_new.py" in warnings[0]


def test_a_build_backend_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **_: object) -> Completed:
        raise CommandFailed(
            Completed(tuple(command), 1, "", "Traceback\nModuleNotFoundError: No module named 'x'\n", 1)
        )

    monkeypatch.setattr(source, "run", run)
    with pytest.raises(BadInput, match="cannot be installed over the image's nova") as caught:
        read(LabFile(sources={"nova": make_tree(tmp_path / "nova")}))
    assert caught.value.evidence[-1] == "ModuleNotFoundError: No module named 'x'"


def test_what_is_no_source_tree_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no folder"):
        check_tree(tmp_path / "gone", "nova")
    with pytest.raises(BadInput, match="is no source tree of nova"):
        check_tree(tmp_path, "nova")
    tree = make_tree(tmp_path / "nova")
    check_tree(tree, "nova")
    with pytest.raises(BadInput, match="is no source tree of neutron"):
        check_tree(tree, "neutron")
    with pytest.raises(BadInput, match="is no source tree of nova"):
        check_tree(tree / "nova", "nova")
    with pytest.raises(BadInput, match="comma"):
        check_tree(make_tree(tmp_path / "a,b"), "nova")


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "tag.gpgSign=false")
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


def test_the_version_of_a_clone_is_the_tags_or_the_one_after(tmp_path: Path) -> None:
    assert version_from_git(tmp_path) == ""
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "one")
    assert version_from_git(tmp_path) == "", "a shallow clone has no tags"
    git(tmp_path, "tag", "30.0.9")
    assert version_from_git(tmp_path) == "30.0.9"
    for message in ("two", "three"):
        git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", message)
        assert version_from_git(tmp_path) == "30.0.10.dev0", "a commit alone must not make the services anew"
    git(tmp_path, "tag", "31.0.0.0rc1")
    assert version_from_git(tmp_path) == "31.0.0.0rc1"


def test_projects_are_those_of_the_lab_with_its_nodes() -> None:
    lab = LabFile(nodes=2, address_range=IPv4Network("10.20.0.0/22"))
    known = projects(FOLDERS, make_plan(LabState("lab"), lab, REFERENCES, "qemu"))
    assert known.called("nova-compute") == {"node1-nova-compute", "node2-nova-compute"}


# What runs in the image: only the standard library and the build backend are needed there.


def entry(group: str, value: str) -> importlib.metadata.EntryPoint:
    return importlib.metadata.EntryPoint("tool", value, group)


def test_a_console_script_calls_its_function() -> None:
    text = describe_source.script(entry("console_scripts", "json.tool:main"))
    assert text.startswith("#!")
    assert "from json.tool import main" in text
    compile(text, "tool", "exec")
    assert "sys.exit(Class.method())" in describe_source.script(entry("console_scripts", "m:Class.method"))


def test_migrations_are_found_by_their_folders(tmp_path: Path) -> None:
    for name in (
        "db/main/migrations/versions/1_a.py",
        "db/alembic/versions/2024.2/expand/b.py",
        "api/versions/v2.py",
        "db/migrations/env.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert describe_source.migrations(tmp_path) == {
        "db/main/migrations/versions/1_a.py",
        "db/alembic/versions/2024.2/expand/b.py",
    }


def test_the_build_backend_is_the_one_that_the_tree_names(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "json.decoder:JSONDecoder"\n'
    )
    assert describe_source.build_backend(tmp_path) is json.decoder.JSONDecoder
