"""What nova keeps of a server: what it is, what went wrong, and every action with its request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import NotFoundException

from labctl.cloud.connection import api_errors
from labctl.cloud.times import read_time
from labctl.errors import NotFound

DELETED = "DELETED"


@dataclass(frozen=True)
class Action:
    """Something that was done with a server: create, reboot, live-migration, ... (nova's instance actions).

    Attributes:
        name: What.
        request: The id of the request.
        begin: When.
        is_failed: Whether nova says so; it does not of all that failed.
        hosts: Where it was worked on.
        details: What nova says went wrong in its parts.
    """

    name: str
    request: str
    begin: datetime
    is_failed: bool = False
    hosts: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServerRecord:
    """A server.

    Attributes:
        id: Its id.
        name: Its name; empty where it is deleted.
        status: ACTIVE, ERROR, ..., DELETED.
        fault: What nova says went wrong; empty where nothing did.
        fault_at: When.
        domain: libvirt's name of it.
        ports: The ids of its ports.
        actions: What was done with it, the first one first.
    """

    id: str
    name: str = ""
    status: str = DELETED
    fault: str = ""
    fault_at: datetime | None = None
    domain: str = ""
    ports: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()


def fetch_server(admin: Connection, wanted: str) -> ServerRecord:
    """Asks for a server of any project.

    Args:
        admin: The cloud, as admin.
        wanted: Its name or id; nova still knows the actions of one that is deleted, by its id.

    Raises:
        NotFound: There is no such server, or there are several of that name.
        CloudCheckFailed: An API did not answer.
    """
    with api_errors(f"look for the server {wanted}"):
        found = [one for one in admin.compute.servers(all_projects=True) if wanted in (one.id, one.name)]
    if len(found) > 1:
        raise NotFound(
            f"There are several servers {wanted!r}.",
            evidence=[f"{one.id}: {one.status}" for one in found],
            remedy="Give the id of one.",
        )
    identifier = str(found[0].id) if found else wanted
    with api_errors(f"look at the actions of the server {wanted}"):
        actions = tuple(_actions(admin, identifier))
    if not found:
        if not actions:
            raise NotFound(
                f"There is no server {wanted!r}.",
                remedy="`labctl openstack server list --all-projects` shows those there are.",
            )
        return ServerRecord(identifier, actions=actions)
    with api_errors(f"list the ports of the server {wanted}"):
        ports = tuple(str(port.id) for port in admin.network.ports(device_id=identifier))
    with api_errors(f"look at the server {wanted}"):
        # Anew: the list lacks the fault of servers that never had a host.
        return _record(admin.compute.get_server(identifier), ports, actions)


def _record(server: Any, ports: tuple[str, ...], actions: Sequence[Action]) -> ServerRecord:
    fault = server.fault or {}
    return ServerRecord(
        id=str(server.id),
        name=str(server.name),
        status=str(server.status),
        fault=str(fault.get("message", "")),
        fault_at=read_time(fault["created"]) if "created" in fault else None,
        domain=str(server.instance_name or ""),
        ports=ports,
        actions=tuple(actions),
    )


def _actions(admin: Connection, server: str) -> Iterator[Action]:
    """Nova lists the last one first."""
    try:
        listed = [str(one.request_id) for one in admin.compute.server_actions(server)]
    except NotFoundException:
        return
    for request in reversed(listed):
        action = admin.compute.get_server_action(request, server)
        parts = action.events or ()
        failed = [part for part in parts if part["result"] == "Error"]
        yield Action(
            name=str(action.action),
            request=request,
            begin=read_time(str(action.start_time)),
            is_failed=bool(failed) or action.message == "Error",
            hosts=tuple(dict.fromkeys(str(part["host"]) for part in reversed(parts) if part["host"])),
            details=tuple(dict.fromkeys(str(part["details"]).strip() for part in failed if part["details"])),
        )
