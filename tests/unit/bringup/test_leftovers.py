"""What is left of nodes that the lab has no more."""

from ipaddress import IPv4Network
from typing import Any, cast

import pytest
from docker.errors import NotFound as NotThere

from labctl.bringup import leftovers
from labctl.bringup.leftovers import finish_removals
from labctl.bringup.scale import known_node, without
from labctl.cloud.nodes import forget as forget_module
from labctl.engine.labels import LAB_LABEL, PROJECT_LABEL
from labctl.engine.volumes import VOLUME_LABEL
from labctl.errors import BadInput, NotFound
from labctl.events import Event, StepFinished
from labctl.lab.addresses import AddressPlan
from labctl.lab.file import LabFile
from labctl.render.lab import LabPlan


@pytest.fixture(autouse=True)
def engine(monkeypatch: pytest.MonkeyPatch) -> "FakeVolumes":
    """An engine that also says what the machine was cleaned of, and which nodes the cloud was told to forget."""
    made = FakeVolumes()
    monkeypatch.setattr(forget_module, "forget", lambda _, node: made.done.append(f"forget {node}"))
    monkeypatch.setattr(leftovers, "clean_up", lambda *what: made.done.append(" ".join(what)))
    return made


VOLUMES = ("mariadb", "net-neutron", "node1-nova", "node2-nova", "node2-libvirt", "node20-nova", "nodes")


class FakeVolumes:
    """An engine with the volumes of a lab; one of them is taken away by somebody else."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.vanishing = ""
        self.api = self

    def volumes(self, filters: dict[str, str]) -> dict[str, Any]:
        assert filters == {"label": "org.labctl.lab=lab"}
        labels = {LAB_LABEL: "lab", PROJECT_LABEL: "labctl-lab"}
        return {"Volumes": [{"Name": f"x_{one}", "Labels": {**labels, VOLUME_LABEL: one}} for one in VOLUMES]}

    def remove_volume(self, name: str) -> None:
        if name == self.vanishing:
            raise NotThere(name)
        self.done.append(f"remove {name}")


def finish(engine: FakeVolumes, nodes: tuple[str, ...], known: tuple[str, ...] = ()) -> list[Event]:
    events: list[Event] = []
    addresses = AddressPlan(IPv4Network("10.20.0.0/22"))
    images = {"neutron-agents": "agents:x"}
    plan = LabPlan("lab", "labctl-lab", "labx", addresses, addresses.nodes(nodes), "kvm", images, "1000:0", "1000:a")
    finish_removals(cast(Any, engine), cast(Any, engine), plan, known, events.append)
    return events


def test_only_what_is_of_nodes_that_are_gone_is_removed(engine: FakeVolumes) -> None:
    events = finish(engine, ("node1",), ("node3",))
    assert engine.done == [
        *("forget node2", "agents:x lab /run/labctl/lab/node2 labctl/lab/node2"),
        *("remove x_node2-nova", "remove x_node2-libvirt"),
        *("forget node3", "agents:x lab /run/labctl/lab/node3 labctl/lab/node3"),
        *("forget node20", "agents:x lab /run/labctl/lab/node20 labctl/lab/node20", "remove x_node20-nova"),
    ]
    assert [one.evidence for one in events if isinstance(one, StepFinished)] == [
        f"compute service, agents, resource provider, namespace, {count} volumes" for count in (2, 0, 1)
    ]


def test_nothing_is_said_where_nothing_is_left(engine: FakeVolumes) -> None:
    assert finish(engine, ("node1", "node2", "node20")) == []
    assert engine.done == []


def test_a_volume_that_somebody_else_removed_is_no_error(engine: FakeVolumes) -> None:
    engine.vanishing = "x_node2-nova"
    finish(engine, ("node1", "node20"))
    assert engine.done[-1] == "remove x_node2-libvirt"


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
