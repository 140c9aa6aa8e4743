"""Nodes are drained over nova's API: what is asked of it, in which order, and what is said when it does not do it."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from openstack.exceptions import BadRequestException, NotFoundException

from labctl.bringup.scale import drain
from labctl.cloud.nodes.forget import forget
from labctl.cloud.nodes.moving import DRAINED, enable, finish_moves
from labctl.errors import CloudCheckFailed
from labctl.events import Event, StepFinished

FLAVOR = {"vcpus": 1, "ram": 128, "disk": 1, "ephemeral": 0}


@dataclass
class FakeCloud:
    """Nova, neutron and placement with some nodes and servers; servers move at once.

    Attributes:
        hosts: Node to [state, status, reason].
        where: Name of a server to [status, node].
        broken: Server to nova's reason for not moving it; with "400 " in front of it, it refuses at once.
        said: What was asked for.
    """

    hosts: dict[str, list[str]]
    where: dict[str, list[str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    unconfirmed: dict[str, tuple[str, str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    allocations: dict[str, dict[str, Any]] = field(default_factory=dict)
    generations: dict[str, int] = field(default_factory=dict)

    @property
    def compute(self) -> "FakeCloud":
        return self

    network = placement = compute

    def services(self, binary: str, host: str = "") -> list[Any]:
        assert binary == "nova-compute"
        return [
            SimpleNamespace(host=name, state=state, status=status, disabled_reason=reason or None)
            for name, (state, status, reason) in self.hosts.items()
            if host in ("", name)
        ]

    def disable_service(self, service: Any, disabled_reason: str) -> None:
        self.said.append(f"disable {service.host}")
        self.hosts[service.host][1:] = ["disabled", disabled_reason]

    def enable_service(self, service: Any) -> None:
        self.hosts[service.host][1:] = ["enabled", ""]

    def delete_service(self, service: Any, ignore_missing: bool) -> None:
        self.said.append(f"delete service {service.host}")
        del self.hosts[service.host]

    def agents(self, host: str = "") -> list[Any]:
        bridge = "neutron-linuxbridge-agent"
        return [SimpleNamespace(host=one, binary=bridge, is_alive=True) for one in self.hosts if host in ("", one)]

    def delete_agent(self, agent: Any, ignore_missing: bool) -> None:
        self.said.append(f"delete agent {agent.host}")

    def servers(self, all_projects: bool) -> list[Any]:
        return [self.get_server(name) for name in self.where]

    def get_server(self, name: str) -> Any:
        if name not in self.where:
            raise NotFoundException(name)
        status, node = self.where[name]
        return SimpleNamespace(id=name, name=name, status=status, task_state=None, compute_host=node, flavor=FLAVOR)

    def live_migrate_server(self, name: str, host: None, block_migration: str) -> None:
        assert block_migration == "auto"
        self._move(name, "live")

    def migrate_server(self, name: str) -> None:
        self._move(name, "cold")
        if name not in self.broken:
            self.where[name][0] = "VERIFY_RESIZE"

    def _move(self, name: str, way: str) -> None:
        self.said.append(f"{way} {name}")
        reason = self.broken.get(name, "")
        if reason.startswith("400 "):
            raise BadRequestException(message=reason)
        if not reason:
            self.where[name][1] = next(one for one, (_, status, _) in self.hosts.items() if status == "enabled")

    def confirm_server_resize(self, name: str) -> None:
        self.said.append(f"confirm {name}")
        self.where[name][0] = "SHUTOFF"

    def delete_server(self, name: str, ignore_missing: bool) -> None:
        self.said.append(f"delete {name}")
        del self.where[name]

    def migrations(self, status: str, source_compute: str) -> list[Any]:
        assert status == "finished"
        return [
            SimpleNamespace(server_id=server, migration_type=kind)
            for server, (kind, source) in self.unconfirmed.items()
            if source == source_compute
        ]

    def server_actions(self, server: str) -> list[Any]:
        return [
            SimpleNamespace(request_id="boot", start_time="2026-01-01"),
            SimpleNamespace(request_id="move", start_time="2026-01-02"),
        ]

    def get_server_action(self, request: str, server: str) -> Any:
        assert request == "move"
        return SimpleNamespace(message="Error", events=[SimpleNamespace(result="Error", details=self.broken[server])])

    def resource_providers(self) -> list[Any]:
        return [SimpleNamespace(name=name, id=f"id-{name}") for name in ("node1", "node2", "node3", "node33")]

    def resource_provider_inventories(self, provider: str) -> list[Any]:
        return [
            SimpleNamespace(resource_class=name, total=64, reserved=0, allocation_ratio=16.0)
            for name in ("VCPU", "MEMORY_MB", "DISK_GB")
        ]

    def delete_resource_provider(self, provider: Any, ignore_missing: bool) -> None:
        assert not any(provider.id in held for held in self.allocations.values())
        self.said.append(f"delete provider {provider.name}")

    def get(self, path: str, microversion: str = "") -> Any:
        kind, identifier, *_ = path.strip("/").split("/")
        if path.endswith("/usages"):
            answer: dict[str, Any] = {"usages": {}}
        elif kind == "resource_providers":
            held = {one: {} for one, claim in self.allocations.items() if identifier in claim}
            answer = {"allocations": held}
        else:
            claim = {one: {"generation": 1, "resources": {"VCPU": 1}} for one in self.allocations[identifier]}
            answer = {"allocations": claim, "project_id": "p", "user_id": "u", "consumer_generation": 7}
        return SimpleNamespace(json=lambda: answer)

    def put(self, path: str, json: dict[str, Any], microversion: str) -> Any:
        assert (json["project_id"], json["user_id"], json["consumer_generation"]) == ("p", "u", 7)
        self.allocations[path.rpartition("/")[2]] = json["allocations"]
        return SimpleNamespace(raise_for_status=lambda: None)


def cloud(**where: list[str]) -> FakeCloud:
    return FakeCloud({name: ["up", "enabled", ""] for name in ("node1", "node2", "node3")}, where)


def empty(admin: Any, *leaving: str, force: bool = False) -> list[str]:
    """Drains; returns the evidence of the steps."""
    events: list[Event] = []
    staying = [name for name in admin.hosts if name not in leaving]
    drain(admin, leaving, staying, events.append, force=force)
    return [f"{one.step}: {one.evidence}" for one in events if isinstance(one, StepFinished)]


def test_a_node_takes_no_new_servers_before_the_first_one_moves() -> None:
    admin = cloud(web=["ACTIVE", "node2"], stopped=["SHUTOFF", "node2"], other=["ACTIVE", "node1"])
    said = empty(admin, "node2")
    assert admin.said == ["disable node2", "live web", "cold stopped", "confirm stopped"]
    assert admin.where == {"web": ["ACTIVE", "node1"], "stopped": ["SHUTOFF", "node1"], "other": ["ACTIVE", "node1"]}
    assert admin.hosts["node2"] == ["up", "disabled", DRAINED]
    assert [one.partition(":")[0] for one in said] == [
        "look for room for the servers of node2",
        "move web away from node2, live",
        "move stopped away from node2, cold",
    ]


def test_no_server_moves_from_one_leaving_node_to_another() -> None:
    admin = cloud(web=["ACTIVE", "node1"])
    empty(admin, "node1", "node2")
    assert admin.said == ["disable node1", "disable node2", "live web"]
    assert admin.where["web"][1] == "node3"


def test_a_node_that_cannot_be_emptied_stays_as_it_is() -> None:
    admin = cloud(web=["ACTIVE", "node1"], lost=["ERROR", "node1"])
    with pytest.raises(CloudCheckFailed, match=r"node1 cannot be drained: 1 server\(s\) cannot move") as caught:
        empty(admin, "node1")
    assert caught.value.evidence == ("lost (ERROR): it is in ERROR: delete it, or rebuild it",)
    assert caught.value.remedy.startswith("Nothing was changed.")
    assert admin.said == []


def test_with_force_what_cannot_move_is_deleted_and_the_rest_moves() -> None:
    admin = cloud(web=["ACTIVE", "node1"], lost=["ERROR", "node1"])
    empty(admin, "node1", force=True)
    assert admin.said == ["disable node1", "live web", "delete lost"]
    assert admin.where == {"web": ["ACTIVE", "node2"]}


@pytest.mark.parametrize("reason", ["No valid host was found.", "400 No valid host was found."])
def test_what_nova_does_not_move_is_named_in_its_own_words(reason: str) -> None:
    admin = cloud(web=["ACTIVE", "node1"], db=["SHUTOFF", "node1"])
    admin.broken["web"] = reason
    with pytest.raises(CloudCheckFailed, match="1 server") as caught:
        empty(admin, "node1")
    assert caught.value.evidence == (f"web (ACTIVE): {reason}",)
    assert caught.value.remedy.startswith("node1 stays disabled: `labctl node drain node1 --undo`.")
    assert admin.where["db"] == ["SHUTOFF", "node2"]


def test_an_empty_node_is_drained_at_once() -> None:
    admin = cloud()
    assert empty(admin, "node1") == ["look for room for the servers of node1: 0 can move, 0 cannot"]
    assert admin.said == ["disable node1"]


def test_a_reason_that_somebody_gave_stays() -> None:
    admin = cloud()
    admin.hosts["node1"] = ["up", "disabled", "smokes"]
    empty(admin, "node1")
    assert admin.hosts["node1"] == ["up", "disabled", "smokes"]


def test_a_drain_can_be_taken_back() -> None:
    admin: Any = cloud()
    empty(admin, "node1")
    assert enable(admin, "node1") is True
    assert admin.hosts["node1"] == ["up", "enabled", ""]
    assert enable(admin, "node1") is False


def test_an_interrupted_move_is_confirmed_and_a_resize_is_left_to_its_owner() -> None:
    admin: Any = cloud(moved=["VERIFY_RESIZE", "node2"], grown=["VERIFY_RESIZE", "node2"], done=["ACTIVE", "node2"])
    admin.unconfirmed = {
        "moved": ("migration", "node1"),
        "grown": ("resize", "node1"),
        "done": ("migration", "node1"),
        "gone": ("migration", "node1"),
        "elsewhere": ("migration", "node3"),
    }
    finish_moves(admin, "node1", lambda _: None)
    assert admin.said == ["confirm moved"]


def test_a_node_is_forgotten_with_what_placement_has_promised_of_it() -> None:
    admin: Any = cloud()
    admin.allocations = {"stale": {"id-node3": {}}, "both": {"id-node3": {}, "id-node1": {}}, "fine": {"id-node33": {}}}
    forget(admin, "node3")
    assert admin.said == ["delete agent node3", "delete service node3", "delete provider node3"]
    assert {name: set(held) for name, held in admin.allocations.items()} == {
        "stale": set(),
        "both": {"id-node1"},
        "fine": {"id-node33"},
    }
