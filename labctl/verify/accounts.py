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

NETWORK = IPv4Network("10.100.0.0/24")
"""The range of the network that the accounts share."""

AT_A_TIME = 4
"""Accounts made at once."""

MEMBER = ("member", "reader")
ADMIN = ("admin",)
OBJECT_ADMIN = ("ResellerAdmin",)


@dataclass(frozen=True)
class PreparedAccount:
    """A user in a project of its own.

    Attributes:
        name: Of user and project.
        password: The user's.
        roles: What the user is in the project.
    """

    name: str
    password: str = field(repr=False)
    roles: tuple[str, ...]


@dataclass(frozen=True)
class Prepared:
    """What tests share.

    Attributes:
        accounts: Members first: Tempest gives a class that asks for no role the first account that is free and no
            admin's (tempest/lib/common/preprov_creds.py).
        network: The name of their network, which has a router to the network outside.
    """

    accounts: tuple[PreparedAccount, ...]
    network: str


def plan_accounts(prefix: str, workers: int, roles: Iterable[str]) -> Prepared:
    """What the tests of some workers need: each has a class at a time, which needs two users and an admin at most.

    Args:
        prefix: Begins their names.
        workers: How many tests at a time.
        roles: The cloud's roles.
    """
    kinds = [MEMBER] * 2 * workers + [ADMIN] * workers
    if set(OBJECT_ADMIN) <= set(roles):
        kinds += [OBJECT_ADMIN] * workers
    accounts = (
        PreparedAccount(f"{prefix}-account-{number}", secrets.token_urlsafe(24), kind)
        for number, kind in enumerate(kinds, start=1)
    )
    return Prepared(tuple(accounts), f"{prefix}-accounts")


def can_share(tests: Iterable[TempestTest]) -> tuple[TempestTest, ...]:
    """The tests that can work with accounts that are there before."""
    return tuple(test for test in tests if not test.name.startswith(NEED_OWN))


def accounts_file(shared: Prepared, domain: str) -> str:
    """The accounts as Tempest reads them (Tempest's `etc/accounts.yaml.sample`)."""
    entries: list[dict[str, Any]] = [
        {
            "username": one.name,
            "password": one.password,
            "project_name": one.name,
            "domain_name": domain,
            "roles": list(one.roles),
            "resources": {"network": shared.network},
        }
        for one in shared.accounts
    ]
    return yaml.safe_dump(entries, sort_keys=False)


@contextmanager
def prepared(shared: Prepared, admin: Connection, features: CloudFeatures, external: str, emit: Emit) -> Iterator[None]:
    """Makes accounts and their network, and removes them and what is theirs at the end.

    Args:
        shared: Which.
        admin: The cloud as admin.
        features: What the cloud has.
        external: Id of the network outside.
        emit: Told about the steps.

    Raises:
        CloudCheckFailed: The cloud refused.
    """
    before = inventory(admin, features.services)
    names = (*(one.name for one in shared.accounts), shared.network)
    try:
        with step(emit, "Accounts for the tests (admin)") as evidence, api_errors("make accounts for the tests"):
            roles = {str(role.name): str(role.id) for role in admin.identity.roles()}
            with ThreadPoolExecutor(AT_A_TIME) as pool:
                network = pool.submit(_make_network, admin, shared.network, external)
                list(pool.map(lambda one: _make_account(admin, one, roles), shared.accounts))
                network.result()
            evidence.text = f"{len(shared.accounts)}, and the network {shared.network}"
        yield
    finally:
        for left in sweep(admin, features.services, before, names, emit, "Remove the tests' accounts"):
            emit(Note(f"Not removed: {left}", level="warning"))


def _make_account(admin: Connection, account: PreparedAccount, roles: dict[str, str]) -> None:
    project = admin.identity.create_project(name=account.name)
    user = admin.identity.create_user(name=account.name, password=account.password, default_project_id=project.id)
    for role in account.roles:
        admin.identity.assign_project_role_to_user(project.id, user.id, roles[role])
    # Neutron makes a project's default security group when somebody asks for the project's groups: not later, when it
    # would look like something that tests left.
    list(admin.network.security_groups(project_id=project.id))


def _make_network(admin: Connection, name: str, external: str) -> None:
    network = admin.network.create_network(name=name, is_shared=True)
    subnet = admin.network.create_subnet(name=name, network_id=network.id, ip_version=4, cidr=str(NETWORK))
    router = admin.network.create_router(name=name, external_gateway_info={"network_id": external})
    admin.network.add_interface_to_router(router.id, subnet.id)
