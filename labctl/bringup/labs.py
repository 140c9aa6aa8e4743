"""The labs of this machine: what their state folders say, and what the engine has of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import docker

from labctl.engine.containers import ServiceState, service_states
from labctl.engine.remains import Remains, all_remains
from labctl.errors import LabctlError
from labctl.lab.file import LabFile
from labctl.lab.owner import Owner, this_user
from labctl.lab.state import LabState, state_folders


class Condition(StrEnum):
    """What a lab is at the moment."""

    READY = "ready"
    PARTLY = "partly"
    STOPPED = "stopped"
    KEPT = "only data"
    FOLDER = "only state"
    ENGINE = "only on the engine"


@dataclass(frozen=True)
class LabSeen:
    """One lab.

    Attributes:
        name: Its name.
        condition: What it is.
        ready: How many of its services are ready.
        services: How many services it has, or should have.
        lab: Its lab file; None where there is none that can be read.
        owner: Whose it is; None where nothing on the engine tells.
    """

    name: str
    condition: Condition
    ready: int
    services: int
    lab: LabFile | None
    owner: Owner | None = None

    @property
    def other_owner(self) -> Owner | None:
        """Whose it is, where it is another user's."""
        return self.owner if self.owner != this_user() else None


def all_labs(client: docker.DockerClient, read: Callable[[LabState], LabFile]) -> list[LabSeen]:
    """The labs that have a state folder, or anything on the engine.

    Args:
        client: The engine.
        read: Reads a lab's file.
    """
    there = all_remains(client)
    names = sorted({*there, *(state.name for state in state_folders())})
    return [look_at(LabState(name), there.get(name, Remains()), service_states(client, name), read) for name in names]


def look_at(
    state: LabState, there: Remains, services: Mapping[str, ServiceState], read: Callable[[LabState], LabFile]
) -> LabSeen:
    """What one lab is."""
    wanted = len(state.services) or len(services)
    # Of a lab that is stopped, what ended well is not ready either.
    ready = sum(service.is_ready for service in services.values()) if there.running else 0
    return LabSeen(
        state.name,
        condition(state.folder.exists(), there, all_ready=0 < ready == len(services) == wanted),
        ready,
        wanted,
        readable(state, read),
        there.owner,
    )


def condition(folder: bool, there: Remains, *, all_ready: bool) -> Condition:
    """What a lab is, from whether it has a state folder, what the engine has of it, and whether all of it is ready."""
    if not folder:
        return Condition.ENGINE
    if not there.containers:
        return Condition.KEPT if there.volumes else Condition.FOLDER
    if not there.running:
        return Condition.STOPPED
    return Condition.READY if all_ready else Condition.PARTLY


def readable(state: LabState, read: Callable[[LabState], LabFile]) -> LabFile | None:
    """A lab's file, or None where there is none, or one that `up` would complain about."""
    try:
        return read(state) if state.exists else None
    except LabctlError:
        return None
