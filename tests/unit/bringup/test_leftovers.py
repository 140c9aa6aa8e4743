"""What is left of nodes that the lab has no more."""

from typing import Any, cast

import pytest
from docker.errors import NotFound as NotThere

from labctl.bringup.leftovers import remove_volumes
from labctl.bringup.scale import known_node, without
from labctl.errors import BadInput, NotFound
from labctl.events import Event, StepFinished
from labctl.lab.file import LabFile

VOLUMES = ("mariadb", "net-neutron", "node1-nova", "node2-nova", "node2-libvirt", "node20-nova", "nodes")


class FakeVolumes:
    """An engine with the volumes of a lab; one of them is taken away by somebody else."""

    def __init__(self, vanishing: str = "") -> None:
        self.removed: list[str] = []
        self.vanishing = vanishing
        self.api = self

    def volumes(self, filters: dict[str, str]) -> dict[str, Any]:
        assert filters == {"label": "org.labctl.lab=lab"}
        return {"Volumes": [{"Name": f"x_{one}", "Labels": {"com.docker.compose.volume": one}} for one in VOLUMES]}

    def remove_volume(self, name: str) -> None:
        if name == self.vanishing:
            raise NotThere(name)
        self.removed.append(name)


def test_only_the_volumes_of_nodes_that_are_gone_are_removed() -> None:
    engine, events = FakeVolumes(), cast(list[Event], [])
    remove_volumes(cast(Any, engine), "lab", ("node1",), events.append)
    assert engine.removed == ["x_node2-nova", "x_node2-libvirt", "x_node20-nova"]
    assert [one.evidence for one in events if isinstance(one, StepFinished)] == ["3"]


def test_nothing_is_said_where_nothing_is_left() -> None:
    engine, events = FakeVolumes(), cast(list[Event], [])
    remove_volumes(cast(Any, engine), "lab", ("node1", "node2", "node20"), events.append)
    assert (engine.removed, events) == ([], [])


def test_a_volume_that_somebody_else_removed_is_no_error() -> None:
    engine = FakeVolumes(vanishing="x_node2-nova")
    remove_volumes(cast(Any, engine), "lab", ("node1", "node20"), lambda _: None)
    assert engine.removed == ["x_node2-libvirt"]


def test_a_node_that_the_lab_has_not_is_named_with_the_nearest() -> None:
    lab = LabFile(nodes=("node1", "node3"))
    assert known_node(lab, "node3") == "node3"
    with pytest.raises(NotFound, match="no compute node 'nodee3'") as caught:
        known_node(lab, "nodee3")
    assert "node3" in caught.value.remedy
    with pytest.raises(NotFound):
        without(lab, ["net"])


def test_the_last_node_stays() -> None:
    lab = LabFile(nodes=("node1", "node3"))
    assert without(lab, ["node1"]) == ("node3",)
    with pytest.raises(BadInput, match="is all that the lab 'lab' has") as caught:
        without(lab, ["node3", "node1"])
    assert "labctl down" in caught.value.remedy
