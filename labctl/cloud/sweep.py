"""Removing what a test run left in a cloud: what was not there before, and belongs to nobody but the run."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import keystoneauth1.exceptions
import openstack.exceptions
from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.cloud.waiting import Pending, wait_until
from labctl.errors import CloudCheckFailed
from labctl.events import Emit, step

GONE_SECONDS = 60.0
AT_A_TIME = 4
"""Things removed at once."""


@dataclass(frozen=True)
class Kind:
    """A kind of thing in a cloud.

    Attributes:
        title: For people.
        service: The type of the service that has it.
        list: All of them, in all projects.
        delete: Removes one.
    """

    title: str
    service: str
    list: Callable[[Connection], Iterable[Any]]
    delete: Callable[[Connection, Any], object]


@dataclass(frozen=True)
class Thing:
    """Something in a cloud.

    Attributes:
        kind: Of what kind.
        id: Its id.
        name: Its name; empty where things of this kind have none.
        project: The project that it belongs to; empty where it belongs to none.
        found: What openstacksdk says of it.
    """

    kind: Kind
    id: str
    name: str
    project: str
    found: Any

    def __str__(self) -> str:
        return f"{self.kind.title} {self.name or self.id}"


def _delete_router(cloud: Connection, router: Any) -> None:
    for port in cloud.network.ports(device_id=router.id):
        if str(port.device_owner).startswith("network:router_interface"):
            cloud.network.remove_interface_from_router(router.id, None, port.id)
    cloud.network.delete_router(router.id)


def _keypairs(cloud: Connection) -> Iterator[Any]:
    """Key pairs belong to users."""
    for user in cloud.identity.users():
        for pair in cloud.compute.keypairs(user_id=user.id):
            pair.user_id = user.id
            yield pair


def _delete_domain(cloud: Connection, domain: Any) -> None:
    cloud.identity.update_domain(domain.id, is_enabled=False)
    cloud.identity.delete_domain(domain.id)


def _delete_port(cloud: Connection, port: Any) -> None:
    # Routers and DHCP agents own theirs, and take them away.
    if not str(port.device_owner).startswith(("network:router", "network:dhcp", "network:ha")):
        cloud.network.delete_port(port.id)


KINDS: tuple[Kind, ...] = (
    Kind(
        "server", "compute", lambda c: c.compute.servers(all_projects=True), lambda c, x: c.compute.delete_server(x.id)
    ),
    Kind(
        "server group",
        "compute",
        lambda c: c.compute.server_groups(all_projects=True),
        lambda c, x: c.compute.delete_server_group(x.id),
    ),
    Kind("key pair", "compute", _keypairs, lambda c, x: c.compute.delete_keypair(x.name, user_id=x.user_id)),
    Kind("aggregate", "compute", lambda c: c.compute.aggregates(), lambda c, x: c.compute.delete_aggregate(x.id)),
    Kind(
        "backup",
        "volumev3",
        lambda c: c.block_storage.backups(all_projects=True),
        lambda c, x: c.block_storage.delete_backup(x.id),
    ),
    Kind(
        "volume snapshot",
        "volumev3",
        lambda c: c.block_storage.snapshots(all_projects=True),
        lambda c, x: c.block_storage.delete_snapshot(x.id),
    ),
    Kind(
        "volume",
        "volumev3",
        lambda c: c.block_storage.volumes(all_projects=True),
        lambda c, x: c.block_storage.delete_volume(x.id),
    ),
    Kind("volume type", "volumev3", lambda c: c.block_storage.types(), lambda c, x: c.block_storage.delete_type(x.id)),
    Kind("image", "image", lambda c: c.image.images(), lambda c, x: c.image.delete_image(x.id)),
    Kind("floating ip", "network", lambda c: c.network.ips(), lambda c, x: c.network.delete_ip(x.id)),
    Kind("router", "network", lambda c: c.network.routers(), _delete_router),
    Kind("port", "network", lambda c: c.network.ports(), _delete_port),
    Kind("network", "network", lambda c: c.network.networks(), lambda c, x: c.network.delete_network(x.id)),
    Kind("subnet pool", "network", lambda c: c.network.subnet_pools(), lambda c, x: c.network.delete_subnet_pool(x.id)),
    Kind(
        "security group",
        "network",
        lambda c: c.network.security_groups(),
        lambda c, x: c.network.delete_security_group(x.id),
    ),
    Kind(
        "flavor", "compute", lambda c: c.compute.flavors(is_public="None"), lambda c, x: c.compute.delete_flavor(x.id)
    ),
    Kind("user", "identity", lambda c: c.identity.users(), lambda c, x: c.identity.delete_user(x.id)),
    Kind("group", "identity", lambda c: c.identity.groups(), lambda c, x: c.identity.delete_group(x.id)),
    Kind("project", "identity", lambda c: c.identity.projects(), lambda c, x: c.identity.delete_project(x.id)),
    Kind("role", "identity", lambda c: c.identity.roles(), lambda c, x: c.identity.delete_role(x.id)),
    Kind("domain", "identity", lambda c: c.identity.domains(), _delete_domain),
    Kind("region", "identity", lambda c: c.identity.regions(), lambda c, x: c.identity.delete_region(x.id)),
)
"""In the order of removal: nothing goes before what holds it."""


def inventory(admin: Connection, services: Iterable[str]) -> dict[tuple[str, str], Thing]:
    """Everything in a cloud that a test run could have made, by kind and id.

    Args:
        admin: The cloud.
        services: The types of the services in its catalog.

    Raises:
        CloudCheckFailed: The API did not answer.
    """
    found: dict[tuple[str, str], Thing] = {}
    known = set(services)
    for kind in KINDS:
        if kind.service in known:
            with api_errors(f"list what there is of the kind {kind.title}"):
                found.update({(kind.title, str(one.id)): _thing(kind, one) for one in kind.list(admin)})
    return found


def left_over(
    now: dict[tuple[str, str], Thing],
    before: Iterable[tuple[str, str]],
    prefixes: tuple[str, ...],
    projects: Iterable[str],
) -> tuple[Thing, ...]:
    """What a run left: what is new, and named by it or of a project that is the run's or gone.

    Args:
        now: What is there.
        before: What was there before the run.
        prefixes: What the names of things that the run makes begin with.
        projects: The projects that are not the run's.
    """
    old, others = set(before), set(projects)
    return tuple(
        thing
        for key, thing in now.items()
        if key not in old and (thing.name.startswith(prefixes) or bool(thing.project and thing.project not in others))
    )


def sweep(
    admin: Connection,
    services: Iterable[str],
    before: Iterable[tuple[str, str]],
    prefixes: tuple[str, ...],
    emit: Emit,
    title: str = "Remove what the tests left",
) -> tuple[str, ...]:
    """Removes what a run left.

    Args:
        admin: The cloud.
        services: The types of the services in its catalog.
        before: What was there before the run.
        prefixes: What the names of things that the run makes begin with.
        emit: Told about the step.
        title: What the step is called.

    Returns:
        What could not be removed, and why.

    Raises:
        CloudCheckFailed: The API did not answer.
    """
    known, old = frozenset(services), frozenset(before)

    def remaining() -> tuple[Thing, ...]:
        now = inventory(admin, known)
        others = (thing.id for thing in now.values() if _is_other_project(thing, prefixes))
        return left_over(now, old, prefixes, others)

    with step(emit, title) as evidence:
        left = things = remaining()
        evidence.text = f"{len(left)}: {', '.join(map(str, left[:5]))}" if left else "nothing"
        reasons: dict[str, str] = {}

        def clean() -> tuple[()] | Pending:
            """A thing that another one still holds goes with the next look: what holds it is on its way out."""
            nonlocal things
            if not things:
                return ()
            reasons.clear()
            for _, same in groupby(things, key=lambda thing: thing.kind.title):
                reasons.update(_remove_all(admin, tuple(same)))
            things = remaining()
            return Pending(", ".join(map(str, things))) if things else ()

        try:
            wait_until(clean, "everything that the tests left to be gone", GONE_SECONDS, 1)
        except CloudCheckFailed as error:
            return tuple(f"{thing}: {reasons.get(str(thing), error.what)}" for thing in things)
    return ()


def _thing(kind: Kind, found: Any) -> Thing:
    project = getattr(found, "project_id", None) or getattr(found, "owner_id", None)
    return Thing(kind, str(found.id), str(getattr(found, "name", None) or ""), str(project or ""), found)


def _is_other_project(thing: Thing, prefixes: tuple[str, ...]) -> bool:
    return thing.kind.title == "project" and not thing.name.startswith(prefixes)


def _remove_all(admin: Connection, things: tuple[Thing, ...]) -> dict[str, str]:
    """Removes things of one kind, several at a time; returns why some could not be."""
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        said = pool.map(lambda thing: _remove(admin, thing), things)
        return {str(thing): reason for thing, reason in zip(things, said, strict=True) if reason}


def _remove(admin: Connection, thing: Thing) -> str:
    """Removes a thing, or starts to; returns why it could not be."""
    try:
        thing.kind.delete(admin, thing.found)
    except openstack.exceptions.NotFoundException:
        return ""
    except (openstack.exceptions.SDKException, keystoneauth1.exceptions.ClientException) as error:
        return str(error)
    return ""
