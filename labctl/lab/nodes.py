"""Names of compute nodes: node1, node2 and so on. A node's number decides its addresses, so it stays the node's own."""

import re
from collections.abc import Collection

from labctl.errors import BadInput

MOST = 64
"""Compute nodes that a lab may have: what its /24 networks and one machine have room for."""

NODES_ALLOWED = f"a whole number from 1 to {MOST}, or a list of names such as [node1, node3]"
"""What `parse_nodes` accepts, for people."""

_NAME = re.compile(r"node([1-9][0-9]?)")


def node_names(count: int) -> tuple[str, ...]:
    """node1 to nodeN."""
    return tuple(f"node{number}" for number in range(1, count + 1))


def node_number(name: str) -> int | None:
    """The number in a compute node's name, or None where it is no such name."""
    found = _NAME.fullmatch(name)
    return int(found.group(1)) if found and int(found.group(1)) <= MOST else None


def parse_nodes(value: object) -> tuple[str, ...]:
    """Reads `nodes` of a lab file.

    Args:
        value: A count, which means node1 to nodeN, or names.

    Returns:
        The names in the order of their numbers.

    Raises:
        ValueError: It is neither, or a name is there twice.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST:
        return node_names(value)
    if not isinstance(value, list | tuple) or not value or not all(isinstance(name, str) for name in value):
        raise ValueError(f"allowed: {NODES_ALLOWED}")
    if len(set(value)) < len(value) or any(node_number(name) is None for name in value):
        raise ValueError(f"allowed: {NODES_ALLOWED}")
    return in_order(value)


def shortest(names: Collection[str]) -> int | list[str]:
    """The simplest way to write nodes into a lab file: a count where that says it all."""
    return len(names) if set(names) == set(node_names(len(names))) else list(names)


def in_order(names: Collection[str]) -> tuple[str, ...]:
    """Sorts names by their numbers."""
    return tuple(sorted(names, key=lambda name: node_number(name) or 0))


def with_count(names: Collection[str], count: int) -> tuple[str, ...]:
    """Makes nodes so many: the lowest free numbers come, the highest go.

    Raises:
        BadInput: A lab cannot have so many.
    """
    if not 1 <= count <= MOST:
        raise BadInput(f"A lab cannot have {count} nodes.", evidence=[f"allowed: a whole number from 1 to {MOST}"])
    free = [name for name in node_names(MOST) if name not in names]
    return in_order([*in_order(names)[:count], *free[: max(0, count - len(names))]])
