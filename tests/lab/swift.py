"""The profile swift, for the tests that need it: brought to the lab under test, and taken away again."""

import hashlib
from typing import Any

from labctl.bringup.machine import wildcard_ports
from tests.lab.commands import Ran, labctl
from tests.lab.conftest import Lab

SERVERS = ("swift-proxy", "swift-account", "swift-container", "swift-object")
MINUTES = 900.0
"""For a command that must end: whole minutes, where this machine takes seconds."""


def must(*arguments: str) -> Ran:
    """Runs a labctl command that must work."""
    ran = labctl(*arguments, timeout=MINUTES)
    assert ran.code == 0, str(ran)
    return ran


def identities(lab: Lab) -> dict[str, tuple[Any, Any]]:
    """Service to its container and when that started."""
    return {name: (one["Id"], one["State"]["StartedAt"]) for name, one in lab.containers().items()}


def listening_everywhere() -> set[int]:
    """The ports of the machine that something listens on for all addresses."""
    return set(wildcard_ports())


def md5(content: bytes) -> str:
    """The checksum that Glance and Swift keep."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
