"""The book of what was broken: a file in the lab's state folder, written before anything is broken."""

from datetime import UTC, datetime
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from labctl.fault.change import Step
from labctl.files import write_file
from labctl.lab.state import LabState


class Injected(BaseModel):
    """A fault that was made.

    Attributes:
        id: Which.
        node: Where; empty for the whole lab.
        since: When.
        clear: What mends it.
        made: What its steps made, by name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    node: str = ""
    since: datetime
    clear: tuple[Step, ...]
    made: dict[str, str] = {}

    def __str__(self) -> str:
        """The id, and the node."""
        return f"{self.id} on {self.node}" if self.node else self.id


def now() -> datetime:
    """The time, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def read_injected(state: LabState) -> tuple[Injected, ...]:
    """What is broken, the oldest first."""
    path = file(state)
    found = yaml.safe_load(path.read_bytes()) if path.exists() else []
    return tuple(Injected.model_validate(one) for one in found)


def keep(state: LabState, injected: Injected) -> None:
    """Writes a fault into the book, or what is new of it."""
    write(state, (*(one for one in read_injected(state) if not _same(one, injected)), injected))


def forget(state: LabState, injected: Injected) -> None:
    """Strikes a fault out."""
    write(state, tuple(one for one in read_injected(state) if not _same(one, injected)))


def write(state: LabState, injected: tuple[Injected, ...]) -> None:
    """Writes the whole book; a lab without faults has none."""
    if injected:
        content = yaml.safe_dump([one.model_dump(mode="json") for one in injected], sort_keys=False)
        write_file(file(state), content.encode())
    else:
        file(state).unlink(missing_ok=True)


def file(state: LabState) -> Path:
    """The book."""
    return state.folder / "faults.yaml"


def _same(one: Injected, other: Injected) -> bool:
    return (one.id, one.node) == (other.id, other.node)
