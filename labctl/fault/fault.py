"""What a fault is."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from labctl.fault.change import Change
from labctl.fault.scene import Scene

TRACE = "trace:"
"""What verdicts of `labctl trace` start with: of faults that only the way of a packet shows."""


class Where(StrEnum):
    """What a fault is made in."""

    LAB = "lab"
    """The cloud, or a service of the control plane."""
    NODE = "node"
    """Any node; a compute node where none is named."""
    COMPUTE = "compute node"
    """A compute node."""
    NETWORK = "network node"
    """The network node."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        id: Its name; never changes.
        title: What is wrong then.
        does: What is done to the lab.
        where: What it is made in.
        verdict: Who must name it: the id of a check of `labctl doctor`, or `trace:` and the id of a cause
            of `labctl trace`.
        change: How: the lab in, the steps out. Changes nothing itself.
    """

    id: str
    title: str
    does: str
    where: Where
    verdict: str
    change: Callable[[Scene], Change]


def fault(
    id: str, *, title: str, does: str, where: Where, verdict: str
) -> Callable[[Callable[[Scene], Change]], Fault]:
    """Makes a function of the scene a fault; the arguments are the attributes of `Fault`."""

    def make(change: Callable[[Scene], Change]) -> Fault:
        return Fault(id, title, does, where, verdict, change)

    return make
