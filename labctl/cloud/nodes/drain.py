"""How a node is emptied: which server goes how, and why one cannot. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from labctl.cloud.nodes.view import RESOURCES, ComputeNode, Guest


class Way(StrEnum):
    """How a server leaves its node."""

    LIVE = "live"
    COLD = "cold"
    BUSY = "busy"


WAYS = {"ACTIVE": Way.LIVE, "PAUSED": Way.LIVE, "SHUTOFF": Way.COLD}
"""Nova's own rule (nova/compute/api.py, live_migrate and resize): these can move, as they are, with nothing lost."""

WHY_NOT = {
    "VERIFY_RESIZE": "its resize waits for an answer: `openstack server resize confirm` or `revert`",
    "ERROR": "it is in ERROR: delete it, or rebuild it",
    "SUSPENDED": "it is suspended: resume it, nova moves no suspended server",
    "RESCUE": "it is rescued: unrescue it",
}


@dataclass(frozen=True)
class Move:
    """A server that can go.

    Attributes:
        guest: The server.
        way: How; BUSY: nova is at work on it, and the way is decided when that is done.
    """

    guest: Guest
    way: Way


@dataclass(frozen=True)
class Stuck:
    """A server that cannot go, and why."""

    guest: Guest
    reason: str

    def __str__(self) -> str:
        return f"{self.guest.name} ({self.guest.status}): {self.reason}"


@dataclass(frozen=True)
class DrainPlan:
    """What becomes of the servers of a node."""

    moves: tuple[Move, ...]
    stuck: tuple[Stuck, ...]


def plan_drain(leaving: Sequence[ComputeNode], others: Sequence[ComputeNode]) -> DrainPlan:
    """Decides for each server how it goes, or why it cannot.

    Large servers come first: they are the hardest to find room for.

    Args:
        leaving: The nodes whose servers have to go.
        others: The nodes that stay.
    """
    guests = [(guest, node) for node in leaving for guest in node.guests]
    room = {node.name: {name: usage.free for name, usage in node.usage.items()} for node in others}
    moves, stuck = [], []
    for guest, source in sorted(guests, key=lambda one: one[0].needs.get("MEMORY_MB", 0), reverse=True):
        way = way_of(guest)
        if way is None:
            stuck.append(Stuck(guest, why_not(guest)))
            continue
        if source.state != "up":
            stuck.append(Stuck(guest, f"nova-compute on {source.name} is {source.state}: `labctl up` brings it back"))
            continue
        reasons = [(node, unfit(node, room[node.name], guest.needs)) for node in others]
        target = next((node for node, reason in reasons if not reason), None)
        if target is None:
            there_is = "; ".join(f"{node.name}: {reason}" for node, reason in reasons)
            stuck.append(Stuck(guest, there_is or "there is no other node"))
            continue
        for name, amount in guest.needs.items():
            room[target.name][name] -= amount
        moves.append(Move(guest, way))
    return DrainPlan(tuple(moves), tuple(stuck))


def way_of(guest: Guest) -> Way | None:
    """How a server can leave its node; None where it cannot."""
    if guest.task:
        return Way.BUSY
    return WAYS.get(guest.status)


def why_not(guest: Guest) -> str:
    """Why a server of this status cannot move."""
    return WHY_NOT.get(guest.status, f"nova moves no server that is {guest.status}")


def unfit(node: ComputeNode, free: Mapping[str, int], needs: Mapping[str, int]) -> str:
    """Why a node cannot take a server; empty where it can."""
    if node.state != "up":
        return f"nova-compute is {node.state}"
    if node.status != "enabled":
        return f"it is {node.status}" + (f" ({node.reason})" if node.reason else "")
    lacking = [
        f"{max(0, free.get(name, 0))} {RESOURCES.get(name, name)} free, {amount} needed"
        for name, amount in needs.items()
        if amount > free.get(name, 0)
    ]
    return ", ".join(lacking)
