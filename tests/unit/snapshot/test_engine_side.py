"""Pauses that end however the work ends; snapshots that are whole when their manifest is there; labs half restored."""

from pathlib import Path
from typing import Any, cast

import docker
import pytest
from docker.errors import APIError

from labctl.bringup.up import refuse_half_restored
from labctl.engine import broker
from labctl.engine.containers import ServiceState
from labctl.engine.copying import paused
from labctl.engine.process import Completed
from labctl.engine.volumes import lab_volumes
from labctl.errors import BadInput, BringUpFailed, NotFound
from labctl.events import Event, Note
from labctl.files import write_file
from labctl.lab.state import LabState
from labctl.snapshot import restore
from labctl.snapshot.checkpoint import find_checkpoint
from labctl.snapshot.create import refuse_unready
from labctl.snapshot.manifest import dump_manifest
from labctl.snapshot.store import (
    checkpoint_file,
    checkpoint_volume,
    delete,
    find_manifest,
    find_manifests,
    manifest_file,
    remove_halves,
    volume_name,
)
from tests.unit.snapshot.test_manifest import MANIFEST


class Refusal:
    """An answer of the engine's."""

    def __init__(self, code: int) -> None:
        self.status_code = code


class Engine:
    """As much of an engine as snapshots ask for."""

    def __init__(self, volumes: dict[str, dict[str, str]] | None = None, unpausable: str = "") -> None:
        self.api = self
        self.there = volumes or {}
        self.paused: set[str] = set()
        self.unpausable = unpausable

    def pause(self, container: str) -> None:
        if container == self.unpausable:
            raise APIError("no", response=cast(Any, Refusal(409)))
        self.paused.add(container)

    def unpause(self, container: str) -> None:
        if container not in self.paused:
            raise APIError("not paused", response=cast(Any, Refusal(409)))
        self.paused.remove(container)

    def containers(self, **_: object) -> list[dict[str, Any]]:
        return []

    def volumes(self, filters: dict[str, Any]) -> dict[str, Any]:
        labels = filters["label"] if isinstance(filters["label"], list) else [filters["label"]]
        keys = {label.partition("=")[0] for label in labels}
        return {"Volumes": [{"Name": name, "Labels": own} for name, own in self.there.items() if keys <= own.keys()]}

    def remove_volume(self, name: str) -> None:
        del self.there[name]


def client(engine: Engine) -> docker.DockerClient:
    return cast(docker.DockerClient, engine)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabState:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return LabState("x")


def keep(state: LabState, name: str) -> None:
    write_file(manifest_file(state, name), dump_manifest(MANIFEST.model_copy(update={"name": name})))


def of_snapshot(name: str) -> dict[str, str]:
    return {"org.labctl.lab": "x", "org.labctl.snapshot": name}


def test_containers_are_paused_while_the_body_runs() -> None:
    engine = Engine()
    with paused(client(engine), ["a", "b"]):
        assert engine.paused == {"a", "b"}
    assert engine.paused == set()


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_they_go_on_where_the_body_fails(error: type[BaseException]) -> None:
    engine = Engine()
    with pytest.raises(error), paused(client(engine), ["a", "b"]):
        raise error
    assert engine.paused == set()


def test_they_go_on_where_one_cannot_be_paused() -> None:
    engine = Engine(unpausable="b")
    with pytest.raises(APIError), paused(client(engine), ["a", "b", "c"]):
        pytest.fail("the body must not run")
    assert engine.paused == set()


def test_a_volume_without_a_manifest_is_half_a_snapshot_and_goes(state: LabState) -> None:
    keep(state, "whole")
    whole, half = volume_name(state, "whole"), volume_name(state, "half")
    engine = Engine({"data": {"org.labctl.lab": "x"}, whole: of_snapshot("whole"), half: of_snapshot("half")})
    assert remove_halves(client(engine), state) == (half,)
    assert set(engine.there) == {"data", whole}


def test_the_checkpoint_stays_where_it_is_whole(state: LabState) -> None:
    volume = checkpoint_volume(state)
    engine = Engine({volume: of_snapshot("")})
    write_file(checkpoint_file(state), dump_manifest(MANIFEST))
    assert remove_halves(client(engine), state) == ()
    checkpoint_file(state).unlink()
    assert remove_halves(client(engine), state) == (volume,)


def test_the_checkpoint_is_none_of_the_snapshots(state: LabState) -> None:
    write_file(checkpoint_file(state), dump_manifest(MANIFEST))
    assert find_checkpoint(state) == MANIFEST
    assert find_manifests(state) == ()


def test_snapshots_do_not_count_as_the_labs_volumes(state: LabState) -> None:
    own = {"org.labctl.lab": "x", "com.docker.compose.project": "labctl-x"}
    engine = Engine({"data": own, volume_name(state, "s"): of_snapshot("s")})
    assert lab_volumes(client(engine), "x") == {"data": "data"}


def test_a_volume_that_only_claims_to_be_of_a_snapshot_stays(state: LabState) -> None:
    engine = Engine({"theirs": of_snapshot("s"), "labctl-x_snapshot-half": of_snapshot("half")})
    assert remove_halves(client(engine), state) == ("labctl-x_snapshot-half",)
    assert set(engine.there) == {"theirs"}


def test_a_snapshot_is_found_and_deleted_by_its_name(state: LabState) -> None:
    keep(state, "one")
    keep(state, "two")
    engine = Engine({volume_name(state, name): of_snapshot(name) for name in ("one", "two")})
    assert {one.name for one in find_manifests(state)} == {"one", "two"}
    delete(client(engine), state, "one")
    assert {one.name for one in find_manifests(state)} == {"two"}
    assert set(engine.there) == {volume_name(state, "two")}
    for look in (lambda: find_manifest(state, "one"), lambda: delete(client(engine), state, "one")):
        with pytest.raises(NotFound) as caught:
            look()
        assert "two" in caught.value.remedy


def test_up_refuses_a_lab_that_is_half_restored(state: LabState) -> None:
    refuse_half_restored(state)
    write_file(state.being_restored, b"one")
    with pytest.raises(BringUpFailed) as caught:
        refuse_half_restored(state)
    assert "snapshot restore --name x one" in caught.value.remedy
    write_file(state.being_restored, b"")
    with pytest.raises(BringUpFailed) as caught:
        refuse_half_restored(state)
    assert "labctl reset --name x" in caught.value.remedy


def test_only_a_lab_that_is_up_is_taken() -> None:
    def service(health: str) -> ServiceState:
        return ServiceState("nova-api", "id", "running", health, None, "")

    refuse_unready("x", {"nova-api": service("healthy")})
    for services in ({}, {"nova-api": service("unhealthy")}):
        with pytest.raises(BadInput):
            refuse_unready("x", services)


def test_a_broker_that_answers_anything_else_has_not_been_emptied(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = "{ok, emptied}"
    monkeypatch.setattr(broker, "run", lambda argv, **_: Completed(tuple(argv), 0, answer, "", 0.1))
    broker.empty_broker("id")
    answer = '{error, "Incomplete form"}'
    with pytest.raises(BringUpFailed) as caught:
        broker.empty_broker("id")
    assert caught.value.evidence == (answer,)


def test_other_images_take_a_snapshot_over_only_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {**MANIFEST.images, "labctl/nova:2024.2": "zz"}
    monkeypatch.setattr(restore, "image_contents", lambda *_: there)
    events: list[Event] = []
    with pytest.raises(BadInput) as caught:
        restore.refuse_other_images(client(Engine()), MANIFEST, events.append, upgrade=False)
    assert [line.split()[0] for line in caught.value.evidence] == ["labctl/nova:2024.2"]
    assert "--upgrade" in caught.value.remedy
    restore.refuse_other_images(client(Engine()), MANIFEST, events.append, upgrade=True)
    assert ["labctl/nova:2024.2" in event.text for event in events if isinstance(event, Note)] == [True]
