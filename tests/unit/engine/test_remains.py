"""What the engine has of labs: what carries a lab's label and its Compose project, and nothing that only claims to."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import docker
import pytest
from docker.errors import ImageNotFound

from labctl.bringup.down import check_others
from labctl.engine.remains import Remains, all_remains, remains_of
from labctl.errors import MachineConflict
from labctl.lab.owner import this_user

OURS = {"org.opencontainers.image.title": "labctl/nova"}
LAB, PROJECT, SNAPSHOT = "org.labctl.lab", "com.docker.compose.project", "org.labctl.snapshot"
Labels = Mapping[str, str]
NO_LABELS: Labels = MappingProxyType({})


def lab(name: str) -> dict[str, str]:
    """The labels of what Compose made for a lab."""
    return {LAB: name, PROJECT: f"labctl-{name}"}


class FakeEngine:
    """An engine; each thing is called by its kind and number."""

    def __init__(
        self,
        containers: Sequence[Labels],
        networks: Sequence[Labels] = (),
        volumes: Sequence[Labels] = (),
        image: Labels | None = NO_LABELS,
    ) -> None:
        self.api = self
        self._containers, self._networks, self._volumes, self._image = containers, networks, volumes, image

    def inspect_image(self, image: str) -> dict[str, Any]:
        if self._image is None:
            raise ImageNotFound(image)
        return {"Config": {"Labels": self._image}}

    def containers(self, all: bool) -> list[dict[str, Any]]:
        return [
            {
                "Id": f"c{number}",
                "Names": [f"/name{number}"],
                "Labels": {**(self._image or {}), **labels},
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


def client(*args: Any, **more: Any) -> docker.DockerClient:
    return cast(docker.DockerClient, FakeEngine(*args, **more))


def test_a_lab_is_what_has_its_label_and_its_project() -> None:
    engine = client([lab("one"), {}], [lab("one"), lab("two")], [lab("one"), cast(Any, None)])
    found = all_remains(engine)
    assert found == {
        "one": Remains(("c0",), ("n0",), ("v0",), ("image",), running=1),
        "two": Remains(networks=("n1",)),
    }
    assert remains_of(engine, "three") == Remains()


@pytest.mark.parametrize(
    "labels",
    [
        {LAB: "one"},
        {PROJECT: "labctl-one"},  # somebody's folder may be called so
        {LAB: "one", PROJECT: "shop"},
        {LAB: "one", PROJECT: "labctl-two"},
        {LAB: "one", SNAPSHOT: ""},  # called v0, which no snapshot's volume is
        {},
    ],
    ids=str,
)
def test_what_has_not_both_is_left_alone(labels: Labels) -> None:
    assert all_remains(client([labels], [labels], [labels])) == {}


@pytest.mark.parametrize(
    "name", ["..", ".", "a/b", "/", "", "A", "-", "a\n", "a b", "$(id)", "x" * 31, "a\0", "\ud800"]
)
def test_what_no_lab_can_be_called_is_none(name: str) -> None:
    for labels in (lab(name), {LAB: name}, {**lab(name), SNAPSHOT: "x"}):
        assert all_remains(client([labels], [labels], [labels])) == {}
        assert all_remains(client([labels], image=OURS)) == {}


def test_an_image_that_is_labelled_as_a_lab_makes_no_container_one() -> None:
    assert all_remains(client([{}], image=lab("one"))) == {}
    assert all_remains(client([{}], image={**lab("one"), **OURS})) == {}
    assert all_remains(client([{PROJECT: "labctl-one"}], image={LAB: "one"})) == {}


def test_what_works_for_a_lab_without_compose_is_of_labctls_images() -> None:
    assert all_remains(client([{LAB: "one"}], image=OURS))["one"].containers == ("c0",)
    assert all_remains(client([{LAB: "one"}], image={"org.opencontainers.image.title": "shop/web"})) == {}
    assert all_remains(client([{LAB: "one", PROJECT: "shop"}], image=OURS)) == {}


def test_a_container_whose_image_is_gone_is_a_labs_by_its_name_too() -> None:
    assert all_remains(client([lab("one")], image=None)) == {}
    assert all_remains(client([lab("name0")], image=None)) == {}
    engine = cast(Any, client([lab("one")], image=None))
    entry = {**engine.containers(all=True)[0], "Names": ["/one-glance"]}
    engine.containers = lambda all: [entry]
    assert all_remains(engine)["one"].containers == ("c0",)


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
