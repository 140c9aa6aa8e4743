"""The demo's servers: flavor (admin), key pair, one server on each node (user)."""

import time
from dataclasses import dataclass
from typing import Any

from labctl.cloud.connection import api_errors
from labctl.cloud.demo.cleanup import Kind
from labctl.cloud.demo.context import Context
from labctl.cloud.waiting import Pending
from labctl.errors import CloudCheckFailed
from labctl.events import step

_RAM_STEP = 64
_DISK_GB = 1
_ACTIVE_SECONDS = 180.0
_LOGS = "`labctl logs` of nova-scheduler, nova-conductor and of the node's nova-compute say more."


@dataclass(frozen=True)
class Ingredients:
    """What a server is made of, as ids; the key by its name."""

    image: str
    flavor: str
    network: str
    security_group: str
    keypair: str
    server_group: str | None


@dataclass(frozen=True)
class Server:
    """A server that nova has taken the request for."""

    id: str
    name: str


@dataclass(frozen=True)
class Requested:
    """The servers that were asked for.

    Attributes:
        at: `time.monotonic()` of the request.
        servers: By name; none of them is built yet.
    """

    at: float
    servers: tuple[Server, ...]


@dataclass(frozen=True)
class Active:
    """All servers run.

    Attributes:
        seconds: From the request to the last ACTIVE.
        nodes: Server's name -> compute node.
    """

    seconds: float
    nodes: dict[str, str]


def flavor(context: Context) -> str:
    """Makes a flavor as small as the guest allows.

    Returns:
        Its id.

    Raises:
        CloudCheckFailed: The API refused.
    """
    ram = -(-context.target.guest.min_ram // _RAM_STEP) * _RAM_STEP
    with step(context.emit, "Flavor (admin)") as evidence, api_errors("create the flavor"):
        name = context.intend(Kind.FLAVOR, "nano")
        made = context.admin.compute.create_flavor(name=name, ram=ram, vcpus=1, disk=_DISK_GB, is_public=True)
        evidence.text = f"{name}: 1 vCPU, {ram} MB, {_DISK_GB} GB"
        return str(made.id)


def keypair(context: Context) -> str:
    """Hands the public key to nova.

    Returns:
        The key pair's name.

    Raises:
        CloudCheckFailed: The API refused.
    """
    with step(context.emit, "Key pair") as evidence, api_errors("create the key pair"):
        name = context.intend(Kind.KEYPAIR, "key")
        context.user.compute.create_keypair(name=name, public_key=context.key.public)
        evidence.text = f"{name}: ed25519"
        return name


def server_group(context: Context) -> str | None:
    """Makes a group whose servers go to different nodes; nothing is made when there is one node.

    Naming the node (`availability_zone=nova::node1`, `host=node1`) is the admin's right by nova's policies. A group
    with the policy anti-affinity is what a member may ask for, and with as many servers as nodes it comes to the same.

    Raises:
        CloudCheckFailed: The API refused.
    """
    if len(context.target.nodes) < 2:
        return None
    with api_errors("create the server group"):
        name = context.intend(Kind.SERVER_GROUP, "apart")
        return str(context.user.compute.create_server_group(name=name, policy="anti-affinity").id)


def create(context: Context, ingredients: Ingredients) -> Requested:
    """Asks nova for one server per node.

    It is one request: the scheduler then places all of them in one go, and knows of the first when it places the
    second. With two requests at a time, anti-affinity is only noticed on the node, and costs another round.

    Raises:
        CloudCheckFailed: The API refused.
    """
    count = len(context.target.nodes)
    hints = {"scheduler_hints": {"group": ingredients.server_group}} if ingredients.server_group else {}
    with step(context.emit, f"Ask for {count} server{'s' if count > 1 else ''}") as evidence:
        context.intend(Kind.SERVER, "")
        at = time.monotonic()
        with api_errors("create the servers"):
            context.user.compute.create_server(
                name=context.names.server_request(count),
                image_id=ingredients.image,
                flavor_id=ingredients.flavor,
                key_name=ingredients.keypair,
                security_groups=[{"name": ingredients.security_group}],
                networks=[{"uuid": ingredients.network}],
                min_count=count,
                max_count=count,
                **hints,
            )
        names = context.names.servers(count)

        def listed() -> tuple[Server, ...] | Pending:
            found = tuple(Server(str(one.id), str(one.name)) for one in _list(context, details=False))
            return found if len(found) == count else Pending(f"nova lists {len(found)} of {count}")

        servers = context.wait(listed, f"nova to list {', '.join(names)}", timeout=30)
        evidence.text = ", ".join(server.name for server in servers)
        return Requested(at, tuple(sorted(servers, key=lambda server: server.name)))


def wait_active(context: Context, requested_at: float) -> Active:
    """Waits until all servers are ACTIVE, and looks on which nodes.

    Args:
        context: The run.
        requested_at: `time.monotonic()` when they were asked for.

    Raises:
        CloudCheckFailed: One went to ERROR (with nova's fault), the wait ran out, or two share a node.
    """
    with step(context.emit, "Servers become ACTIVE") as evidence:

        def all_active() -> float | Pending:
            states = _list(context, details=True)
            for one in states:
                if one.status == "ERROR":
                    raise _fault(context, one)
            if all(one.status == "ACTIVE" for one in states):
                return time.monotonic() - requested_at
            return Pending("; ".join(f"{one.name} {one.status}, task {one.task_state}" for one in states))

        seconds = context.wait(all_active, "the servers to become ACTIVE", _ACTIVE_SECONDS, 0.5, remedy=_LOGS)
        nodes = _nodes(context)
        evidence.text = f"{seconds:.1f} s; " + ", ".join(f"{name} on {node}" for name, node in nodes.items())
    return Active(seconds, nodes)


def console_tail(context: Context, server_id: str, lines: int) -> tuple[str, ...]:
    """The last lines of a server's console log that say something.

    Raises:
        CloudCheckFailed: The API refused.
    """
    with api_errors("read the server's console log"):
        output = context.user.compute.get_server_console_output(server_id, length=4 * lines)["output"]
    said = [line.rstrip() for line in str(output).replace("\r", "").splitlines()]
    return tuple([line for line in said if line][-lines:])


def circumstances(context: Context, server_id: str) -> tuple[str, ...]:
    """What the API knows about a server that cannot be reached: ports and console. For the evidence of an error."""
    lines: list[str] = []
    try:
        with api_errors("list the server's ports"):
            for port in context.user.network.ports(device_id=server_id):
                lines.append(f"port {port.id}: {port.status}, {port.fixed_ips}")
        lines += [f"console: {line}" for line in console_tail(context, server_id, 12)]
    except CloudCheckFailed as error:
        lines.append(" - ".join((error.what, *error.evidence)))
    return tuple(lines) or ("no port, and an empty console log",)


def _list(context: Context, *, details: bool) -> list[Any]:
    wanted = context.names.servers(len(context.target.nodes))
    with api_errors("list the servers"):
        return [
            one for one in context.user.compute.servers(details=details, name=context.names.run) if one.name in wanted
        ]


def _fault(context: Context, server: Any) -> CloudCheckFailed:
    fault = server.fault or {}
    return CloudCheckFailed(
        f"The server {server.name} went to ERROR.",
        evidence=(
            f"nova's fault: {fault.get('message', 'none given')} (code {fault.get('code', '?')})",
            *circumstances(context, str(server.id)),
        ),
        remedy=_LOGS,
    )


def _nodes(context: Context) -> dict[str, str]:
    """Which server is where; only the admin may see it."""
    wanted = context.names.servers(len(context.target.nodes))
    with api_errors("look on which nodes the servers are"):
        listed = context.admin.compute.servers(all_projects=True, name=context.names.run)
        nodes = {str(one.name): str(one.compute_host) for one in listed if one.name in wanted}
    if set(nodes.values()) != set(context.target.nodes):
        raise CloudCheckFailed(
            "The servers are not one on each node.",
            evidence=tuple(f"{name} on {node}" for name, node in nodes.items()),
            remedy="The scheduler must have ServerGroupAntiAffinityFilter (it is among nova's defaults).",
        )
    return dict(sorted(nodes.items()))
