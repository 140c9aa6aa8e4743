"""How a node is emptied: which server goes how, and why one cannot."""

from dataclasses import replace

import pytest

from labctl.cloud.nodes.drain import Move, Way, plan_drain
from labctl.cloud.nodes.view import ComputeNode, Guest, Usage


def guest(name: str, status: str = "ACTIVE", memory: int = 128, task: str = "") -> Guest:
    return Guest(f"id-{name}", name, status, task, {"VCPU": 1, "MEMORY_MB": memory, "DISK_GB": 1})


def node(name: str, memory: int = 1024, used: int = 0) -> ComputeNode:
    usage = {"VCPU": Usage(32, 0), "MEMORY_MB": Usage(memory, used), "DISK_GB": Usage(100, 0)}
    return ComputeNode(name, "up", "enabled", usage=usage)


def full(*guests: Guest) -> list[ComputeNode]:
    """The node that is drained."""
    return [ComputeNode("node1", "up", "enabled", guests=guests)]


def reasons(guests: list[Guest], others: list[ComputeNode]) -> list[str]:
    return [str(one) for one in plan_drain(full(*guests), others).stuck]


@pytest.mark.parametrize(("status", "way"), [("ACTIVE", Way.LIVE), ("PAUSED", Way.LIVE), ("SHUTOFF", Way.COLD)])
def test_running_servers_move_live_and_stopped_ones_cold(status: str, way: Way) -> None:
    one = guest("one", status)
    assert plan_drain(full(one), [node("node2")]).moves == (Move(one, way),)


def test_a_server_that_nova_is_busy_with_is_waited_for() -> None:
    one = guest("one", "MIGRATING", task="migrating")
    assert plan_drain(full(one), [node("node2")]).moves == (Move(one, Way.BUSY),)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("VERIFY_RESIZE", "openstack server resize confirm"),
        ("ERROR", "delete it"),
        ("SUSPENDED", "resume it"),
        ("RESCUE", "unrescue it"),
        ("SHELVED", "nova moves no server that is SHELVED"),
    ],
)
def test_a_server_that_nova_does_not_move_is_named_with_the_reason(status: str, why: str) -> None:
    (reason,) = reasons([guest("one", status)], [node("node2")])
    assert reason.startswith(f"one ({status}): ")
    assert why in reason


def test_for_each_node_it_is_said_why_it_cannot_take_a_server() -> None:
    others = [
        replace(node("node2"), state="down"),
        replace(node("node3"), status="disabled", reason="labctl: drained"),
        replace(node("node4"), status="disabled"),
        node("node5", memory=512, used=480),
        ComputeNode("node6"),
    ]
    assert reasons([guest("one")], others) == [
        "one (ACTIVE): node2: nova-compute is down; node3: it is disabled (labctl: drained); node4: it is disabled; "
        "node5: 32 MB of memory free, 128 needed; node6: nova-compute is missing"
    ]


def test_the_only_node_cannot_be_drained() -> None:
    assert reasons([guest("one")], []) == ["one (ACTIVE): there is no other node"]
    assert plan_drain(full(), []).stuck == ()


def test_servers_do_not_get_the_same_room_twice() -> None:
    servers = [guest("small", memory=100), guest("large", memory=900), guest("middle", memory=200)]
    plan = plan_drain(full(*servers), [node("node2", 1000), node("node3", 150)])
    assert [move.guest.name for move in plan.moves] == ["large", "small"]
    assert [str(one) for one in plan.stuck] == [
        "middle (ACTIVE): node2: 100 MB of memory free, 200 needed; node3: 150 MB of memory free, 200 needed"
    ]


def test_room_that_was_overdrawn_is_none() -> None:
    assert reasons([guest("one")], [node("node2", 512, 600)]) == [
        "one (ACTIVE): node2: 0 MB of memory free, 128 needed"
    ]


def test_nothing_moves_away_from_a_node_whose_nova_compute_is_down() -> None:
    dead = replace(full(guest("one"))[0], state="down")
    assert [str(one) for one in plan_drain([dead], [node("node2")]).stuck] == [
        "one (ACTIVE): nova-compute on node1 is down: `labctl up` brings it back"
    ]
    assert plan_drain([ComputeNode("node9")], []).stuck == ()
