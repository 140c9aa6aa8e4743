"""What all parts of a run share."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from openstack.connection import Connection

from labctl.cloud.demo.cleanup import Kind, Ledger
from labctl.cloud.demo.names import Names
from labctl.cloud.demo.target import DemoTarget, Ping
from labctl.cloud.ssh import SshKey
from labctl.cloud.waiting import Pending, wait_until
from labctl.events import Emit

T = TypeVar("T")


@dataclass(frozen=True)
class Context:
    """One run of the demo.

    Attributes:
        target: The lab.
        names: This run's names.
        admin: The cloud as admin.
        user: The cloud as the user demo.
        key: The key pair for the guests.
        emit: Takes events, from any thread.
        ledger: What is to be removed at the end.
        cancelled: Set when the run is over early.
        keep: Whether what is made stays.
        ping: From the host; called from several threads.
        began: `time.monotonic()` at the start of the run.
    """

    target: DemoTarget
    names: Names
    admin: Connection
    user: Connection
    key: SshKey
    emit: Emit
    ledger: Ledger
    cancelled: threading.Event
    keep: bool
    ping: Ping
    began: float

    def intend(self, kind: Kind, what: str) -> str:
        """Writes down that something of this run is about to be made, and returns its name."""
        name = self.names.of(what) if what else self.names.run
        self.ledger.intend(kind, name)
        return name

    def wait(
        self,
        predicate: Callable[[], T | Pending],
        what: str,
        timeout: float,
        interval: float = 0.4,
        *,
        remedy: str = "",
        evidence: Callable[[], Sequence[str]] = tuple,
    ) -> T:
        """`wait_until`, called off with the run."""
        return wait_until(
            predicate, what, timeout, interval, remedy=remedy, cancelled=self.cancelled, evidence=evidence
        )
