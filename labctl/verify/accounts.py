"""Accounts that are there before tests run, and that one class of tests after the other works with.

Otherwise Tempest makes accounts for each class, with a network and a router, and removes them after it: the suite
`smoke` spent 60 % of its requests' time on that. Tempest calls the one pre-provisioned and the other dynamic
credentials (Tempest's configuration guide, "Authentication").
"""

import secrets
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

import yaml
from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.cloud.features import CloudFeatures
from labctl.cloud.sweep import inventory, sweep
from labctl.events import Emit, Note, step
from labctl.verify.suite import TempestTest

NEED_OWN = (
    "tempest.api.compute.servers.test_attach_interfaces.",
    "tempest.api.volume.test_volume_absolute_limits.",
)
"""The modules whose tests are skipped unless Tempest makes their accounts: each asks for `use_dynamic_credentials`."""

NETWORK = IPv4Network("10.100.0.0/28")
"""The range of each account's network: as Tempest's own (tempest/config.py, project_network_cidr)."""

AT_A_TIME = 4
"""Accounts made at once."""

MEMBER = ("member", "reader")
ADMIN = ("admin",)
OBJECT_ADMIN = ("ResellerAdmin",)


@dataclass(frozen=True)
class PreparedAccount:
    """A user in a project of its own.

    Attributes:
        name: Of user, project, network and router.
        password: The user's.
        roles: What the user is in the project.
        has_network: The project has a network, with a router to the network outside.
    """

    name: str
    password: str = field(repr=False)
    roles: tuple[str, ...]
    has_network: bool


def plan_accounts(prefix: str, workers: int, roles: Iterable[str]) -> tuple[PreparedAccount, ...]:
    """What the tests of some workers need: each has a class at a time, which needs two users and an admin at most.

    Args:
        prefix: Begins their names.
        workers: How many tests at a time.
        roles: The cloud's roles.

    Returns:
        Members first: Tempest gives a class that asks for no role the first account that is free and no admin's
        (tempest/lib/common/preprov_creds.py).
    """
    kinds = [MEMBER] * 2 * workers + [ADMIN] * workers
    if set(OBJECT_ADMIN) <= set(roles):
        kinds += [OBJECT_ADMIN] * workers
    return tuple(
        PreparedAccount(f"{prefix}-account-{number}", secrets.token_urlsafe(24), kind, has_network=kind == MEMBER)
        for number, kind in enumerate(kinds, start=1)
    )


def can_share(tests: Iterable[TempestTest]) -> tuple[TempestTest, ...]:
    """The tests that can work with accounts that are there before."""
    return tuple(test for test in tests if not test.name.startswith(NEED_OWN))


def accounts_file(accounts: Iterable[PreparedAccount], domain: str) -> str:
    """The accounts as Tempest reads them (Tempest's `etc/accounts.yaml.sample`)."""
    entries: list[dict[str, Any]] = [
        {
            "username": one.name,
            "password": one.password,
            "project_name": one.name,
            "domain_name": domain,
            "roles": list(one.roles),
            **({"resources": {"network": one.name}} if one.has_network else {}),
        }
        for one in accounts
    ]
    return yaml.safe_dump(entries, sort_keys=False)


@contextmanager
def prepared(
    accounts: tuple[PreparedAccount, ...], admin: Connection, features: CloudFeatures, external: str, emit: Emit
) -> Iterator[None]:
    """Makes accounts, and removes them and what is theirs at the end.

    Args:
        accounts: Which; perhaps none.
        admin: The cloud as admin.
        features: What the cloud has.
        external: Id of the network outside.
        emit: Told about the steps.

    Raises:
        CloudCheckFailed: The cloud refused.
    """
    if not accounts:
        yield
        return
    before = inventory(admin, features.services)
    try:
        with step(emit, "Accounts for the tests (admin)") as evidence, api_errors("make accounts for the tests"):
            roles = {str(role.name): str(role.id) for role in admin.identity.roles()}
            with ThreadPoolExecutor(AT_A_TIME) as pool:
                list(pool.map(lambda one: _make(admin, one, roles, external), accounts))
            evidence.text = f"{len(accounts)}, {sum(one.has_network for one in accounts)} with network and router"
        yield
    finally:
        names = tuple(one.name for one in accounts)
        for left in sweep(admin, features.services, before, names, emit, "Remove the tests' accounts"):
            emit(Note(f"Not removed: {left}", level="warning"))


def _make(admin: Connection, account: PreparedAccount, roles: dict[str, str], external: str) -> None:
    project = admin.identity.create_project(name=account.name)
    user = admin.identity.create_user(name=account.name, password=account.password, default_project_id=project.id)
    for role in account.roles:
        admin.identity.assign_project_role_to_user(project.id, user.id, roles[role])
    # Neutron makes a project's default security group when somebody asks for the project's groups: not later, when it
    # would look like something that tests left.
    list(admin.network.security_groups(project_id=project.id))
    if account.has_network:
        network = admin.network.create_network(name=account.name, project_id=project.id)
        subnet = admin.network.create_subnet(
            name=account.name, project_id=project.id, network_id=network.id, ip_version=4, cidr=str(NETWORK)
        )
        outside = {"network_id": external}
        router = admin.network.create_router(name=account.name, project_id=project.id, external_gateway_info=outside)
        admin.network.add_interface_to_router(router.id, subnet.id)
