"""What tests need to find in a cloud: images, flavors, the network outside. Made for a run, and removed after it."""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Address

from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.cloud.demo.cleanup import Kind, Ledger, remove_all
from labctl.cloud.demo.context import Context
from labctl.cloud.demo.holdings import CloudHoldings
from labctl.cloud.demo.image import image
from labctl.cloud.demo.names import Names
from labctl.cloud.demo.network import provider_network
from labctl.cloud.demo.target import DemoTarget
from labctl.cloud.ssh import new_key
from labctl.events import Emit, Note, step
from labctl.verify.configuration import Ingredients

RAM_STEP = 64
"""MB: the flavors are the least multiple of it that the guest boots with, and half as much again."""


def new_prefix() -> str:
    """Begins the names of all that a run makes: `verify-` and six hexadecimal digits."""
    return f"verify-{secrets.token_hex(3)}"


@contextmanager
def ingredients(
    target: DemoTarget, admin: Connection, user: Connection, prefix: str, emit: Emit
) -> Iterator[Ingredients]:
    """Makes what tests need, and removes it at the end.

    Args:
        target: The lab.
        admin: The cloud as admin.
        user: The cloud as the user demo.
        prefix: Begins the names of what is made.
        emit: Told about the steps.

    Raises:
        CloudCheckFailed: The cloud refused.
    """
    ledger = Ledger()
    context = Context(
        target=target,
        names=Names(prefix),
        admin=admin,
        user=user,
        key=new_key(prefix),
        emit=emit,
        ledger=ledger,
        cancelled=threading.Event(),
        keep=False,
        ping=_no_ping,
        began=time.monotonic(),
    )
    try:
        yield _make(context)
    finally:
        left = remove_all(ledger, CloudHoldings(admin, user), emit, "Remove what was made for the tests")
        for one in left:
            emit(Note(f"Not removed: {one}", level="warning"))


def _make(context: Context) -> Ingredients:
    guest = context.target.guest
    external = provider_network(context)
    another = replace(context.target, guest=replace(guest, name=f"{guest.name}-other"))
    least = -(-guest.min_ram // RAM_STEP) * RAM_STEP
    with api_errors("look at the network outside"):
        name = str(context.admin.network.get_network(external).name)
    return Ingredients(
        prefix=context.names.run,
        image=image(context),
        other_image=image(replace(context, target=another)),
        flavor=_flavor(context, "small", least),
        other_flavor=_flavor(context, "larger", least + RAM_STEP),
        external_network=external,
        external_network_name=name,
        floating_range=context.target.provider_network,
        guest_user=guest.user,
        guest_properties=guest.properties,
    )


def _flavor(context: Context, size: str, ram: int) -> str:
    with step(context.emit, f"Flavor, {size} (admin)") as evidence, api_errors("create a flavor"):
        name = context.intend(Kind.FLAVOR, size)
        made = context.admin.compute.create_flavor(name=name, ram=ram, vcpus=1, disk=1, is_public=True)
        evidence.text = f"{name}: 1 vCPU, {ram} MB, 1 GB"
        return str(made.id)


def _no_ping(address: IPv4Address) -> float | None:
    """Nothing that is made here is pinged."""
    return None
