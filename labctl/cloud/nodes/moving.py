"""Moves servers between nodes with nova's own calls, one at a time, and waits for each."""

import time

import openstack.exceptions
from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.cloud.nodes.drain import Move, Stuck, Way, way_of, why_not
from labctl.cloud.nodes.view import Guest, read_guest
from labctl.cloud.waiting import Pending, wait_until
from labctl.events import Emit, step

MOVE_SECONDS = 600.0
"""A move that takes longer is stuck; nova gives up on a live migration by itself after 800 s for each GB."""

LOOK_EVERY = 0.5

DRAINED = "labctl: drained"
"""Reason for which labctl disables a node; what `node drain --undo` takes back."""


class MoveFailed(Exception):  # noqa: N818 - caught where all of them are put together
    """Nova did not move a server."""

    def __init__(self, stuck: Stuck) -> None:
        super().__init__(str(stuck))
        self.stuck = stuck


def disable(admin: Connection, node: str) -> None:
    """Lets no new server onto a node; one that is disabled keeps its reason.

    Raises:
        CloudCheckFailed: The API refused.
    """
    with api_errors(f"disable {node}"):
        for service in admin.compute.services(binary="nova-compute", host=node):
            if service.status == "enabled":
                admin.compute.disable_service(service, disabled_reason=DRAINED)


def enable(admin: Connection, node: str) -> bool:
    """Lets new servers onto a node again.

    Returns:
        Whether it was disabled.

    Raises:
        CloudCheckFailed: The API refused.
    """
    with api_errors(f"enable {node}"):
        disabled = [one for one in admin.compute.services(binary="nova-compute", host=node) if one.status == "disabled"]
        for service in disabled:
            admin.compute.enable_service(service)
    return bool(disabled)


def finish_moves(admin: Connection, node: str, emit: Emit) -> None:
    """Confirms the cold migrations away from a node that nobody confirmed, such as those of an interrupted drain.

    A resize is a person's to confirm; a cold migration changes nothing but the node, and its way back leads to the
    node that shall be empty.

    Raises:
        CloudCheckFailed: The API refused.
    """
    with api_errors("list the migrations"):
        waiting = [
            str(one.server_id)
            for one in admin.compute.migrations(status="finished", source_compute=node)
            if one.migration_type == "migration"
        ]
    for identifier in waiting:
        guest = look(admin, identifier)
        if guest and guest.status == "VERIFY_RESIZE" and not guest.task:
            with step(emit, f"confirm the move of {guest.name} away from {node}"):
                confirm(admin, guest)


def move(admin: Connection, node: str, planned: Move, emit: Emit) -> None:
    """Moves one server away from a node, to where the scheduler finds room.

    Raises:
        MoveFailed: Nova refused, or did not do it.
        CloudCheckFailed: An API did not answer, or the wait ran out.
    """
    guest = settled(admin, planned.guest)
    if guest is None or host_of(admin, guest) != node:
        return
    way = way_of(guest)
    if way is None:
        raise MoveFailed(Stuck(guest, why_not(guest)))
    begin = time.monotonic()
    with step(emit, f"move {guest.name} away from {node}, {way.value}") as evidence:
        try:
            if way is Way.LIVE:
                admin.compute.live_migrate_server(guest.id, host=None, block_migration="auto")
            else:
                admin.compute.migrate_server(guest.id)
        except (openstack.exceptions.BadRequestException, openstack.exceptions.ConflictException) as error:
            raise MoveFailed(Stuck(guest, str(error.details or error.message))) from error
        after = settled(admin, guest)
        if after is None:
            evidence.text = "deleted meanwhile"
            return
        if after.status == "VERIFY_RESIZE":
            confirm(admin, after)
        host = host_of(admin, after)
        if host == node:
            raise MoveFailed(Stuck(after, failure(admin, after)))
        evidence.text = f"to {host} in {time.monotonic() - begin:.1f} s"


def confirm(admin: Connection, guest: Guest) -> None:
    """Confirms a cold migration and waits until nova has cleaned up where the server was.

    Raises:
        CloudCheckFailed: The API refused, or the wait ran out.
    """
    with api_errors(f"confirm the migration of {guest.name}"):
        admin.compute.confirm_server_resize(guest.id)

    def confirmed() -> bool | Pending:
        seen = look(admin, guest.id)
        if seen is None or (seen.status != "VERIFY_RESIZE" and not seen.task):
            return True
        return Pending(f"{seen.status}, task {seen.task or 'none'}")

    wait_until(confirmed, f"the migration of {guest.name} to be confirmed", MOVE_SECONDS, LOOK_EVERY)


def settled(admin: Connection, guest: Guest) -> Guest | None:
    """Waits until nova does nothing with a server.

    Returns:
        The server, or None when it is gone.

    Raises:
        CloudCheckFailed: An API did not answer, or the wait ran out.
    """

    def idle() -> tuple[Guest | None] | Pending:
        seen = look(admin, guest.id)
        if seen and seen.task:
            return Pending(f"{seen.status}, task {seen.task}")
        return (seen,)

    return wait_until(idle, f"{guest.name} to come to rest", MOVE_SECONDS, LOOK_EVERY)[0]


def look(admin: Connection, identifier: str) -> Guest | None:
    """A server as it is now, or None when it is gone.

    Raises:
        CloudCheckFailed: The API did not answer.
    """
    with api_errors("look at a server"):
        try:
            return read_guest(admin.compute.get_server(identifier))
        except openstack.exceptions.NotFoundException:
            return None


def host_of(admin: Connection, guest: Guest) -> str:
    """The node that a server is on.

    Raises:
        CloudCheckFailed: The API did not answer.
    """
    with api_errors("look where a server is"):
        return str(admin.compute.get_server(guest.id).compute_host)


def failure(admin: Connection, guest: Guest) -> str:
    """Why nova did not do the last thing that it was asked to do with a server, in its own words."""
    with api_errors("read why a server did not move"):
        actions = sorted(admin.compute.server_actions(guest.id), key=lambda one: str(one.start_time))
        if not actions:
            return "nova gave no reason"
        last = admin.compute.get_server_action(actions[-1].request_id, guest.id)
        details = [event.details for event in last.events or () if event.result == "Error" and event.details]
    return str(details[0] if details else last.message or "nova gave no reason")


def delete(admin: Connection, guest: Guest, emit: Emit) -> None:
    """Deletes a server and waits until it is gone.

    Raises:
        CloudCheckFailed: The API refused, or the wait ran out.
    """
    with step(emit, f"delete {guest.name}, which cannot move"):
        with api_errors(f"delete {guest.name}"):
            admin.compute.delete_server(guest.id, ignore_missing=True)

        def gone() -> bool | Pending:
            seen = look(admin, guest.id)
            return True if seen is None else Pending(f"{seen.status}, task {seen.task or 'none'}")

        wait_until(gone, f"{guest.name} to be gone", MOVE_SECONDS, LOOK_EVERY)
