"""What a cloud still lacks before it can run servers: compute services, cell mapping, inventories, network agents."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.cloud.times import read_time
from labctl.lab.nodes import in_order, node_number

NEEDED_INVENTORIES = ("VCPU", "MEMORY_MB", "DISK_GB")
"""Resource classes that every flavor asks for; nova's scheduler skips a host that lacks one."""

COMPUTE = "nova-compute"


@dataclass(frozen=True)
class Expected:
    """What a lab must have.

    Attributes:
        nodes: Compute nodes, by host name.
        agents: Host name -> binaries of the network agents that must live there.
        started: Host name and binary -> when it was started, of those whose reports of before do not count: the cloud
            takes one for alive for a minute after its last report, and a database that was put back holds reports of
            processes that are gone.
    """

    nodes: tuple[str, ...]
    agents: Mapping[str, frozenset[str]]
    started: Mapping[tuple[str, str], datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class ComputeService:
    """A nova-compute as the compute API lists it.

    Attributes:
        host: Its node.
        state: up or down.
        status: enabled or disabled.
        reason: Why it is disabled.
        reported: When it reported last; None where it never did, which is so for 5 s after its first registration
            (nova/servicegroup/api.py: INITIAL_REPORTING_DELAY).
    """

    host: str
    state: str
    status: str
    reason: str = ""
    reported: datetime | None = None

    @property
    def stands_aside(self) -> bool:
        """Whether a person took it out of service; where nova itself did, its reason starts with AUTO."""
        return self.status == "disabled" and not self.reason.startswith("AUTO:")


@dataclass(frozen=True)
class NetworkAgent:
    """A network agent as the network API lists it, with the time of its last report."""

    host: str
    binary: str
    alive: bool
    reported: datetime | None = None


@dataclass(frozen=True)
class CloudView:
    """The part of a cloud's state that readiness is judged by.

    Attributes:
        services: nova-compute services of all cells.
        hypervisors: Their names; the API lists a hypervisor only when its host is mapped into a cell.
        inventories: Resource provider's name -> those of NEEDED_INVENTORIES that it has.
        agents: All network agents.
    """

    services: tuple[ComputeService, ...]
    hypervisors: frozenset[str]
    inventories: Mapping[str, frozenset[str]]
    agents: tuple[NetworkAgent, ...]


def fetch_view(admin: Connection, nodes: tuple[str, ...]) -> CloudView:
    """Looks at the cloud once: four requests when it is ready, one and one per provider more while it is not.

    Args:
        admin: A connection as admin.
        nodes: The compute nodes whose inventories are of interest.

    Raises:
        CloudCheckFailed: An API did not answer.
    """
    with api_errors("list the compute services"):
        services = tuple(
            ComputeService(
                str(one.host),
                str(one.state),
                str(one.status),
                str(one.disabled_reason or ""),
                read_time(one.updated_at) if one.updated_at else None,
            )
            for one in admin.compute.services(binary=COMPUTE)
        )
    with api_errors("list the hypervisors"):
        hypervisors = frozenset(str(one.name) for one in admin.compute.hypervisors())
    with api_errors("list the network agents"):
        agents = tuple(
            NetworkAgent(
                str(one.host),
                str(one.binary),
                bool(one.is_alive),
                read_time(one.last_heartbeat_at) if one.last_heartbeat_at else None,
            )
            for one in admin.network.agents()
        )
    with api_errors("list the resource providers"):
        inventories = _inventories(admin, nodes)
    return CloudView(services, hypervisors, inventories, agents)


class Kind(Enum):
    """Of what kind something is that a cloud lacks."""

    SERVICE = auto()
    """A compute service or an agent that is down, or never registered."""
    DISABLED = auto()
    """A compute service that is up, and that nova took out of service."""
    MAPPING = auto()
    """A host that is not mapped into a cell."""
    RESOURCES = auto()
    """A resource provider, or its inventories."""


@dataclass(frozen=True)
class Lack:
    """Something that is not there yet, in one sentence."""

    kind: Kind
    sentence: str


def missing(view: CloudView, expected: Expected) -> tuple[str, ...]:
    """Says what is not there yet, one sentence each; nothing means ready."""
    return tuple(lack.sentence for lack in lacking(view, expected))


def lacking(view: CloudView, expected: Expected) -> tuple[Lack, ...]:
    """What is not there yet; nothing means ready."""
    return (
        *(lack for node in expected.nodes for lack in _node(view, expected, node)),
        *(
            lack
            for host, binaries in expected.agents.items()
            for binary in sorted(binaries)
            for lack in _agent(view, expected, host, binary)
        ),
    )


def drained(view: CloudView, expected: Expected) -> tuple[str, ...]:
    """The nodes that take no new servers because somebody wants it so, each with the reason."""
    aside = [one for one in view.services if one.stands_aside and one.host in expected.nodes]
    return tuple(f"{one.host} ({one.reason or 'no reason given'})" for one in aside)


def departed(view: CloudView, expected: Expected) -> tuple[str, ...]:
    """The compute nodes that the cloud still knows, and the lab has no more."""
    known = {*(one.host for one in view.services), *(one.host for one in view.agents), *view.inventories}
    names = {name.partition(".")[0] for name in known}
    return in_order([name for name in names if node_number(name) and name not in expected.nodes])


def _inventories(admin: Connection, nodes: tuple[str, ...]) -> dict[str, frozenset[str]]:
    # One request answers for all providers with room for the smallest server. Only providers that it leaves out (not
    # ready, or full: a lab that was restarted with its guests) are asked for one by one.
    resources = ",".join(f"{name}:1" for name in NEEDED_INVENTORIES)
    found = {
        str(provider.name): frozenset(NEEDED_INVENTORIES)
        for provider in admin.placement.resource_providers(resources=resources)
    }
    if all(_named(node, found) is not None for node in nodes):
        return found
    for provider in admin.placement.resource_providers():
        if str(provider.name) not in found:
            inventories = admin.placement.resource_provider_inventories(provider.id)
            found[str(provider.name)] = frozenset(
                str(one.resource_class) for one in inventories if one.total
            ) & frozenset(NEEDED_INVENTORIES)
    return found


def same_host(name: str, node: str) -> bool:
    """Whether a hypervisor or resource provider is that of a node.

    A hypervisor calls itself by what libvirt takes for the host's name, which is a full domain name on some machines.
    """
    return name == node or name.partition(".")[0] == node


def _named(node: str, names: Mapping[str, frozenset[str]] | frozenset[str]) -> str | None:
    return next((name for name in names if same_host(name, node)), None)


def _is_of_before(reported: datetime | None, expected: Expected, host: str, binary: str) -> bool:
    """Whether a report is of a process that ran before the one that runs now."""
    started = expected.started.get((host, binary))
    return bool(reported and started and reported < started)


def _node(view: CloudView, expected: Expected, node: str) -> Iterator[Lack]:
    service = next((one for one in view.services if one.host == node), None)
    if service is None:
        yield Lack(Kind.SERVICE, f"nova-compute on {node} has not registered.")
    elif service.state != "up" or (service.status != "enabled" and not service.stands_aside):
        kind = Kind.DISABLED if service.state == "up" else Kind.SERVICE
        yield Lack(kind, f"nova-compute on {node} is {service.state} and {service.status}.")
    elif _is_of_before(service.reported, expected, node, COMPUTE):
        yield Lack(Kind.SERVICE, f"nova-compute on {node} has not reported since it was started.")
    if _named(node, view.hypervisors) is None:
        yield Lack(Kind.MAPPING, f"The hypervisor of {node} is not visible: its host is not mapped into the cell.")
    provider = _named(node, view.inventories)
    if provider is None:
        yield Lack(Kind.RESOURCES, f"{node} has no resource provider in placement.")
    elif absent := [name for name in NEEDED_INVENTORIES if name not in view.inventories[provider]]:
        yield Lack(Kind.RESOURCES, f"The resource provider of {node} has no inventory of {', '.join(absent)}.")


def _agent(view: CloudView, expected: Expected, host: str, binary: str) -> Iterator[Lack]:
    agent = next((one for one in view.agents if one.host == host and one.binary == binary), None)
    if agent is None:
        yield Lack(Kind.SERVICE, f"{binary} on {host} has not registered.")
    elif not agent.alive:
        yield Lack(Kind.SERVICE, f"{binary} on {host} is not alive.")
    elif _is_of_before(agent.reported, expected, host, binary):
        yield Lack(Kind.SERVICE, f"{binary} on {host} has not reported since it was started.")
