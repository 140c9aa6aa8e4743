"""One look at the compute nodes: service, agents, servers, room."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.cloud.readiness import same_host

RESOURCES = {"VCPU": "vCPU", "MEMORY_MB": "MB of memory", "DISK_GB": "GB of disk"}
"""What a server takes of a node, by placement's name of it, and what people call it."""


@dataclass(frozen=True)
class Guest:
    """A server on a node.

    Attributes:
        id: Its id.
        name: Its name; no two servers need to have different ones.
        status: As the compute API shows it: ACTIVE, SHUTOFF, ...
        task: What nova does with it at the moment; empty when nothing.
        needs: Resource class to amount.
    """

    id: str
    name: str
    status: str
    task: str = ""
    needs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Usage:
    """How much of a resource there is, overcommitment counted in, and how much of it is promised to servers."""

    capacity: int
    used: int

    @property
    def free(self) -> int:
        """What the scheduler would still give away."""
        return self.capacity - self.used


@dataclass(frozen=True)
class ComputeNode:
    """A compute node.

    Attributes:
        name: Its host name.
        state: up or down, as its nova-compute reports; missing where it never registered.
        status: enabled or disabled: whether it takes new servers; missing as above.
        reason: Why it is disabled, in the words of whoever did it.
        agents: Binary of a network agent to whether it is alive.
        guests: Its servers.
        usage: Resource class to how much there is.
    """

    name: str
    state: str = "missing"
    status: str = "missing"
    reason: str = ""
    agents: Mapping[str, bool] = field(default_factory=dict)
    guests: tuple[Guest, ...] = ()
    usage: Mapping[str, Usage] = field(default_factory=dict)

    @property
    def room(self) -> str:
        """Whether it takes servers now, and how much room it has, in words."""
        if self.state != "up" or self.status != "enabled":
            return f"it is {self.state} and {self.status}" + (f" ({self.reason})" if self.reason else "")
        free = (
            f"{one.free} of {one.capacity} {RESOURCES[name]}" for name, one in self.usage.items() if name in RESOURCES
        )
        return f"up; free: {', '.join(free) or 'nothing is known'}"


def fetch_nodes(admin: Connection, names: tuple[str, ...]) -> tuple[ComputeNode, ...]:
    """Looks at nodes.

    Args:
        admin: The cloud, as admin.
        names: The nodes' host names.

    Raises:
        CloudCheckFailed: An API did not answer.
    """
    with api_errors("list the compute services"):
        services = {str(one.host): one for one in admin.compute.services(binary="nova-compute")}
    with api_errors("list the network agents"):
        agents = [(str(one.host), str(one.binary), bool(one.is_alive)) for one in admin.network.agents()]
    with api_errors("list the servers"):
        guests = [(str(one.compute_host), read_guest(one)) for one in admin.compute.servers(all_projects=True)]
    with api_errors("list the resource providers"):
        providers = {str(one.name): str(one.id) for one in admin.placement.resource_providers()}
    found = []
    for name in names:
        service = services.get(name)
        provider = next((identifier for host, identifier in providers.items() if same_host(host, name)), None)
        found.append(
            ComputeNode(
                name=name,
                state=str(service.state) if service else "missing",
                status=str(service.status) if service else "missing",
                reason=str(service.disabled_reason or "") if service else "",
                agents={binary: alive for host, binary, alive in agents if host == name},
                guests=tuple(guest for host, guest in guests if host == name),
                usage=fetch_usage(admin, provider) if provider else {},
            )
        )
    return tuple(found)


def fetch_usage(admin: Connection, provider: str) -> dict[str, Usage]:
    """How much of each resource a provider has and has promised.

    Raises:
        CloudCheckFailed: The API did not answer.
    """
    with api_errors("look at what is used of a node"):
        used = admin.placement.get(f"/resource_providers/{provider}/usages").json()["usages"]
        inventories = list(admin.placement.resource_provider_inventories(provider))
    return {
        str(one.resource_class): Usage(
            int((one.total - one.reserved) * one.allocation_ratio), int(used.get(one.resource_class, 0))
        )
        for one in inventories
    }


def read_guest(server: object) -> Guest:
    """Reads what openstacksdk says of a server."""
    flavor = getattr(server, "flavor", None) or {}
    amounts = {"VCPU": flavor["vcpus"], "MEMORY_MB": flavor["ram"], "DISK_GB": flavor["disk"] + flavor["ephemeral"]}
    return Guest(
        id=str(getattr(server, "id", "")),
        name=str(getattr(server, "name", "")),
        status=str(getattr(server, "status", "")),
        task=str(getattr(server, "task_state", None) or ""),
        needs={name: int(amount or 0) for name, amount in amounts.items()},
    )
