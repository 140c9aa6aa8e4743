"""Watching a source tree: what counts as a change, and what it restarts."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import docker
import pytest

from labctl.bringup import develop as module
from labctl.bringup import watch
from labctl.bringup.develop import Tree, brief, changes, develop, said
from labctl.engine.containers import ServiceState
from labctl.errors import BadInput
from labctl.events import Event, Note, PlanMade, ServiceChanged

CLIENT = cast(docker.DockerClient, None)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    # The name of a folder above the tree must not count.
    path = tmp_path / "tests" / ".venv" / "nova"
    (path / "nova" / "tests").mkdir(parents=True)
    (path / ".git").mkdir()
    return Tree("nova", path)


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("nova/api/x.py", True),
        ("nova/locale/de.po", True),
        ("setup.cfg", True),
        ("pyproject.toml", True),
        ("nova/tests/unit/test_x.py", False),
        ("doc/source/x.rst", False),
        ("nova/setup.cfg", True),
        ("doc/setup.cfg", False),
        ("README.rst", False),
    ],
)
def test_the_package_without_its_tests_counts_and_how_it_is_installed(tree: Tree, name: str, counts: bool) -> None:
    assert tree.concerns(tree.path / name) is counts


def test_what_is_outside_does_not_count(tree: Tree) -> None:
    assert not tree.concerns(tree.path.parent / "nova2" / "x.py")


def first_change(tree: Tree, write: Callable[[], None]) -> frozenset[Path]:
    """The first change that is told while something is written again and again."""
    told = threading.Event()

    def keep_writing() -> None:
        while not told.wait(0.05):
            write()

    writer = threading.Thread(target=keep_writing)
    writer.start()
    seen = changes(tree)
    try:
        return next(seen)
    finally:
        told.set()
        writer.join()
        cast(Any, seen).close()


def test_a_change_of_the_package_is_told_and_what_does_not_count_is_not(tree: Tree) -> None:
    def write() -> None:
        for name in ("nova/x.py", "nova/x.pyc", "nova/tests/y.py", ".git/index", "nova/.x.py.swp"):
            (tree.path / name).write_text("changed")

    assert first_change(tree, write) == {tree.path / "nova" / "x.py"}


def state(service: str, container: str, source: str) -> ServiceState:
    return ServiceState(service, container, "running", "healthy", None, "Up", source=source)


class Lab:
    """Services of a lab: nova-api and nova-scheduler from the tree, and keystone."""

    def __init__(self, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
        self.states = {
            "nova-api": state("nova-api", "a", str(tree.path)),
            "nova-scheduler": state("nova-scheduler", "b", str(tree.path)),
            "keystone": state("keystone", "c", ""),
        }
        self.restarted: list[set[str]] = []
        self.installs = 0
        self.events: list[Event] = []
        self.tree = tree
        monkeypatch.setattr(watch, "service_states", lambda *_: dict(self.states))
        monkeypatch.setattr(module, "restart", lambda _, containers: self.restarted.append(set(containers)))

    def install(self) -> None:
        self.installs += 1

    def develop(self, seen: Iterator[set[str]], install: Callable[[], None] | None = None) -> None:
        paths = (frozenset(self.tree.path / name for name in names) for names in seen)
        services = frozenset({"nova-api", "nova-scheduler"})
        develop(CLIENT, "lab", self.tree, services, self.events.append, seen=paths, install=install or self.install)

    def notes(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Note)]


@pytest.fixture
def lab(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> Lab:
    return Lab(tree, monkeypatch)


def test_a_change_restarts_the_services_that_run_from_the_tree(lab: Lab) -> None:
    lab.develop(iter([{"nova/x.py"}, {"nova/y.py"}]))
    assert lab.restarted == [{"a", "b"}, {"a", "b"}]
    assert lab.installs == 0
    assert lab.notes() == [
        "nova/x.py changed: restart nova-api, nova-scheduler",
        "nova/y.py changed: restart nova-api, nova-scheduler",
    ]


def test_other_entry_points_are_installed_and_what_that_made_anew_is_not_restarted(lab: Lab) -> None:
    def install() -> None:
        lab.states["nova-api"] = state("nova-api", "a2", str(lab.tree.path))

    lab.develop(iter([{"setup.cfg", "nova/x.py"}]), install)
    assert lab.restarted == [{"b"}]


def test_a_tree_that_cannot_be_installed_is_told_and_watched_on(lab: Lab) -> None:
    def install() -> None:
        raise BadInput("broken", evidence=["line 3"])

    lab.develop(iter([{"setup.cfg"}, {"nova/x.py"}]), install)
    assert "broken / line 3" in lab.notes()
    assert lab.restarted[-1] == {"a", "b"}


def test_it_ends_when_nothing_runs_from_the_tree_any_more(lab: Lab) -> None:
    def seen() -> Iterator[set[str]]:
        yield {"nova/x.py"}
        lab.states |= {name: state(name, "new", "") for name in ("nova-api", "nova-scheduler")}
        yield {"nova/x.py"}
        pytest.fail("it asked for another change")

    lab.develop(seen())
    assert len(lab.restarted) == 1
    assert lab.notes()[-1] == f"No service runs from {lab.tree.path} any more."


def test_a_service_that_went_back_to_its_image_is_left_alone(lab: Lab) -> None:
    lab.states["nova-api"] = state("nova-api", "a", "")
    lab.develop(iter([{"nova/x.py"}]))
    assert lab.restarted == [{"b"}]


def test_only_the_services_that_were_asked_for_are_told_of(lab: Lab) -> None:
    pass_on = module.only(frozenset({"nova-api"}), lab.events.append)
    for event in (ServiceChanged("nova-api", "healthy"), ServiceChanged("keystone", "healthy"), Note("x")):
        pass_on(event)
    assert [getattr(event, "service", "note") for event in lab.events] == ["nova-api", "note"]


def test_plans_are_not_told() -> None:
    events: list[Event] = []
    for event in (PlanMade((), (), is_first=False), Note("x")):
        brief(events.append)(event)
    assert [type(event) for event in events] == [Note]


def test_changes_are_named_in_a_few_words(tree: Tree) -> None:
    paths = [tree.path / f"nova/{name}.py" for name in "abc"]
    assert said(tree, frozenset(paths[:1])) == "nova/a.py"
    assert said(tree, frozenset(paths)) == "nova/a.py and 2 more"
