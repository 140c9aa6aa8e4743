"""The sockets of a lab in the machine's own network, and for whom each is, as the Compose templates say. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from labctl.errors import BadInput

Fragment = Mapping[str, Any]


class Audience(StrEnum):
    """For whom a port is."""

    PUBLIC = "public"
    """Users of the cloud: on this machine, in guests, and whom `reach` in the lab file lets in."""

    NODES = "nodes"
    """Services of nodes."""

    INTERNAL = "internal"
    """Services of the control plane."""


@dataclass(frozen=True)
class HostPort:
    """A TCP port of the lab in the machine's own network.

    Attributes:
        number: Which.
        service: The service that listens there.
        audience: For whom.
    """

    number: int
    service: str
    audience: Audience


def read_ports(fragments: Mapping[str, Fragment]) -> tuple[HostPort, ...]:
    """Reads `x-labctl: ports:` of the rendered Compose templates.

    Args:
        fragments: Name of a template to what it renders to.

    Raises:
        BadInput: A template says something else than AUDIENCE: {PORT: SERVICE}, or a port is there twice.
    """
    found: dict[int, HostPort] = {}
    for name, fragment in fragments.items():
        for port in _ports(name, fragment.get("x-labctl", {}).get("ports", {})):
            if port.number in found:
                other = found[port.number].service
                raise BadInput(f"compose/{name} has {port.service} listen on {port.number}, where {other} does.")
            found[port.number] = port
    return tuple(found.values())


def numbers(ports: Iterable[HostPort]) -> dict[str, list[int]]:
    """The numbers of the ports for each audience, in order; for templates."""
    every = sorted(ports, key=lambda port: port.number)
    return {audience.value: [port.number for port in every if port.audience is audience] for audience in Audience}


def _ports(name: str, said: object) -> Iterator[HostPort]:
    audiences = [audience.value for audience in Audience]
    if not isinstance(said, Mapping):
        raise _wrong(name, said)
    for audience, ports in said.items():
        if audience not in audiences or not isinstance(ports, Mapping):
            raise _wrong(name, said)
        for number, service in ports.items():
            if not (isinstance(number, int) and 0 < number < 65536 and isinstance(service, str)):
                raise _wrong(name, said)
            yield HostPort(number, service, Audience(audience))


def _wrong(name: str, said: object) -> BadInput:
    return BadInput(
        f"compose/{name} says of `x-labctl: ports:` {said!r}.",
        remedy=f"For whom, then PORT: SERVICE, as in `ports: {{public: {{5000: keystone}}}}`; for whom is one of: "
        f"{', '.join(audience.value for audience in Audience)}.",
    )
