"""What the engine has of labs: by label, and by the Compose project of containers of labctl's images."""

from pathlib import Path
from typing import Any, cast

import docker
import pytest

from labctl.bringup.down import check_others
from labctl.engine.remains import Remains, all_remains, remains_of
from labctl.errors import MachineConflict
from labctl.lab.owner import this_user

IMAGE = {"org.opencontainers.image.title": "labctl/nova"}
Labels = dict[str, str]


def project(name: str) -> Labels:
    return {"com.docker.compose.project": name}


def lab(name: str) -> Labels:
    return {"org.labctl.lab": name}


class FakeEngine:
    """An engine; each thing is called by its kind and number."""

    def __init__(self, containers: list[Labels], networks: list[Labels] = [], volumes: list[Labels] = []) -> None:  # noqa: B006
        self.api = self
        self._containers, self._networks, self._volumes = containers, networks, volumes

    def containers(self, all: bool) -> list[dict[str, Any]]:
        return [
            {
                "Id": f"c{number}",
                "Names": [f"/name{number}"],
                "Labels": labels,
                "ImageID": "image",
                "State": "running",
                "Mounts": [{"Name": "v0"}],
                "NetworkSettings": {"Networks": {"x": {"NetworkID": "n0"}}},
            }
            for number, labels in enumerate(self._containers)
        ]

    def networks(self) -> list[dict[str, Any]]:
        return [{"Id": f"n{number}", "Labels": labels} for number, labels in enumerate(self._networks)]

    def volumes(self) -> dict[str, Any]:
        return {"Volumes": [{"Name": f"v{number}", "Labels": labels} for number, labels in enumerate(self._volumes)]}


def client(*args: Any) -> docker.DockerClient:
    return cast(docker.DockerClient, FakeEngine(*args))


def test_a_lab_is_all_that_has_its_label() -> None:
    engine = client([lab("one"), {}], [lab("one"), lab("two")], [lab("one"), cast(Any, None)])
    found = all_remains(engine)
    assert found == {
        "one": Remains(("c0",), ("n0",), ("v0",), ("image",), running=1),
        "two": Remains(networks=("n1",)),
    }
    assert remains_of(engine, "three") == Remains()


def test_a_lab_of_an_older_labctl_is_found_by_its_project() -> None:
    old = project("labctl-old")
    found = all_remains(client([{**old, **IMAGE}, old], [old], [old]))
    assert found == {"old": Remains(("c0", "c1"), ("n0",), ("v0",), ("image",), running=2)}


@pytest.mark.parametrize(
    "containers",
    [
        [project("labctl-website")],  # a folder of somebody's that has such a name
        [{**project("website"), **IMAGE}],
        [{**project("labctl-Not a name"), **IMAGE}],
        [IMAGE],
        [],
    ],
)
def test_a_project_that_is_no_lab_is_left_alone(containers: list[Labels]) -> None:
    mine = project("labctl-website")
    assert all_remains(client(containers, [mine], [mine])) == {}


def test_a_lab_is_not_taken_away_under_somebody_elses_container() -> None:
    engine = client([lab("one"), {}], [lab("one")], [lab("one")])
    there = all_remains(engine)["one"]
    with pytest.raises(MachineConflict) as caught:
        check_others(engine, "one", there)
    assert caught.value.evidence == ("name1",)
    check_others(client([lab("one")], [lab("one")], [lab("one")]), "one", there)


def owned(uid: int, name: str = "lab") -> Labels:
    return {**lab(name), "org.labctl.owner": f"{uid}:somebody"}


ME, ALICE, BOB = this_user().uid, 4_000_000_001, 4_000_000_002


@pytest.mark.parametrize(
    ("containers", "networks", "volumes", "owner"),
    [
        ([lab("lab")], [lab("lab")], [lab("lab")], None),
        ([owned(ALICE)], [owned(ALICE)], [owned(ALICE)], ALICE),
        ([], [], [owned(ALICE)], ALICE),  # down --keep-data
        ([], [owned(ALICE)], [], ALICE),
        # Those of copies and the like are everybody's.
        ([lab("lab")], [], [owned(ALICE)], ALICE),
        # It is not this user's as long as anything of it is another's.
        ([owned(ME), owned(ALICE)], [owned(ME)], [owned(ME)], ALICE),
        ([owned(ME)], [owned(ME)], [owned(BOB)], BOB),
        ([owned(ME)], [], [], ME),
        ([owned(BOB), owned(ALICE, "other")], [], [], BOB),
    ],
)
def test_the_owner_of_a_lab(
    containers: list[Labels], networks: list[Labels], volumes: list[Labels], owner: int | None
) -> None:
    found = remains_of(client(containers, networks, volumes), "lab").owner
    assert (found and found.uid) == owner


def test_a_label_that_cannot_be_read_makes_a_lab_somebody_elses() -> None:
    labels = {**lab("lab"), "org.labctl.owner": "\x1b[2Jroot"}
    found = remains_of(client([labels]), "lab").owner
    assert found
    assert found != this_user()
    assert "\x1b" not in str(found)


def test_a_lab_of_before_there_were_owners_is_whose_its_folder_is(tmp_path: Path) -> None:
    rendered = tmp_path / "labs/lab/project"
    rendered.mkdir(parents=True)
    labels = {**lab("lab"), "com.docker.compose.project.working_dir": str(rendered)}
    assert remains_of(client([labels]), "lab").owner == this_user()
    rendered.rmdir()
    rendered.parent.rmdir()
    assert remains_of(client([labels]), "lab").owner is None
