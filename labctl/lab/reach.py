"""Who reaches a lab besides its own machine: what the lab file says, and what that is on the machine."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StrictBool, StringConstraints


class Reach(BaseModel):
    """What the lab file opens: the public APIs and the provider network, for others than this machine.

    Attributes:
        local_network: For whoever sends packets to this machine.
        networks: For the containers of other networks of the engine, by their names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    local_network: StrictBool = False
    networks: tuple[Annotated[str, StringConstraints(min_length=1)], ...] = ()


@dataclass(frozen=True)
class Opening:
    """The same, as the machine's packet filter sees it.

    Attributes:
        local_network: Whether what comes in by a device that is no bridge reaches the lab.
        devices: Bridges from which the lab is reached.
    """

    local_network: bool = False
    devices: tuple[str, ...] = ()

    @property
    def anything(self) -> bool:
        """Whether anybody but this machine reaches the lab."""
        return self.local_network or bool(self.devices)


CLOSED = Opening()
"""Nobody but the lab's own machine."""
