"""What `up` has to do for a lab that is there: nothing, some services, or let Compose look at all."""

from pathlib import Path
from typing import Any, cast

import docker
import pytest
import yaml

from labctl.bringup.up import Change, change_of
from labctl.engine.containers import ServiceState
from labctl.lab.state import LabState

REFERENCES = {"nova": "labctl/nova:test"}


class FakeEngine:
    """An engine whose images have their reference for an id."""

    images: Any

    def __init__(self) -> None:
        self.images = self

    def get(self, reference: str) -> Any:
        return type("Image", (), {"id": f"id of {reference}"})


def container(service: str, **values: Any) -> ServiceState:
    known = {"definition": "old", "image": "id of labctl/nova:test", **values}
    return ServiceState(service, "x", known.pop("status", "running"), "healthy", None, "Up", **known)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabState:
    """A lab of node1, a service in its network namespace, and two of the control plane; all defined as `old`."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    services = {name: {"labels": {"org.labctl.definition": "old"}} for name in ("node1", "node1-x", "nova-api", "db")}
    services["node1-x"] |= cast(Any, {"network_mode": "service:node1"})
    services["nova-api"] |= cast(Any, {"depends_on": {"db": {}}})
    lab = LabState("lab")
    lab.rendered.mkdir(parents=True)
    lab.compose_file.write_text(yaml.safe_dump({"services": services}))
    return lab


def change(state: LabState, *differ: ServiceState, but: str = "") -> Change:
    states = {name: container(name) for name in ("node1", "node1-x", "nova-api", "db") if name != but}
    states |= {one.service: one for one in differ}
    return change_of(cast(docker.DockerClient, FakeEngine()), state, states, REFERENCES)


def test_a_lab_that_is_as_wanted_needs_nothing(state: LabState) -> None:
    assert change(state) == Change()


@pytest.mark.parametrize("other", [{"definition": "new"}, {"image": "an older one"}])
def test_a_service_that_is_defined_otherwise_is_made_anew_without_those_that_depend_on_it(
    state: LabState, other: dict[str, str]
) -> None:
    assert change(state, container("db", **other)) == Change(only=frozenset({"db"}))
    both = change(state, container("db", **other), container("nova-api", **other))
    assert both == Change(only=frozenset({"db", "nova-api"}))


def test_the_owner_of_a_network_namespace_takes_all_with_it(state: LabState) -> None:
    assert change(state, container("node1", definition="new")) == Change(everything=True)


def test_what_is_missing_not_ready_or_too_many_is_composes_business(state: LabState) -> None:
    for found in (
        change(state, but="db"),
        change(state, container("db", status="restarting")),
        change(state, container("node2")),
    ):
        assert found == Change(everything=True)
