"""What the commands look up before they work: the lab that is meant, and what is known of it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

from labctl.errors import EngineUnavailable, NotFound
from labctl.lab.names import nearest, parse_lab_name
from labctl.lab.state import LabState, known_labs

if TYPE_CHECKING:
    import docker

    from labctl.cloud.demo.target import DemoTarget, Ping
    from labctl.lab.file import LabFile


def find_lab(name: str | None) -> LabState:
    """The lab of that name, or the only one there is.

    Raises:
        NotFound: There is none, or there are several and none is named.
    """
    return LabState(choose_lab(name, [lab.name for lab in known_labs()]))


def choose_lab(name: str | None, labs: Collection[str]) -> str:
    """The lab of that name among those that are there, or the only one.

    Raises:
        NotFound: There is none, or there are several and none is named.
        NotYours: The one that is named is another user's.
    """
    if name is not None:
        if parse_lab_name(name) in labs:
            return name
        with suppress(EngineUnavailable):
            refuse_anothers(name)
        hint = nearest(name, labs)
        raise NotFound(f"There is no lab {name!r}.", remedy=hint or "`labctl list` shows those that there are.")
    if len(labs) == 1:
        return next(iter(labs))
    if not labs:
        raise NotFound("There is no lab.", remedy="`labctl up` makes one.")
    names = ", ".join(sorted(labs))
    raise NotFound("There are several labs.", evidence=[names], remedy="Say which: `--name LAB`.")


def lab_file(state: LabState) -> "LabFile":
    """The lab file that the lab was brought up with."""
    from labctl.lab.file import load_lab_file

    return load_lab_file(state.lab_file, config_services(), check_files=False)


def config_services() -> tuple[str, ...]:
    """The services that a lab file may add configuration to: those with oslo.config files in the catalog."""
    from labctl.catalog.configuration import configured_services
    from labctl.catalog.folders import catalog_folders

    return configured_services(catalog_folders())


@contextmanager
def docker_engine() -> "Iterator[docker.DockerClient]":
    """A client of the engine, closed at the end."""
    from labctl.engine.client import engine

    client = engine()
    try:
        yield client
    finally:
        client.close()


def refuse_anothers(lab: str) -> None:
    """Refuses a lab of another user's, for commands that ask the engine nothing else.

    Raises:
        NotYours: It is one.
    """
    from labctl.engine.client import connect
    from labctl.engine.endpoint import endpoint
    from labctl.engine.lab_lock import refuse_others

    client = connect(endpoint())
    try:
        refuse_others(client, lab)
    finally:
        client.close()


def demo_target(name: str | None) -> "DemoTarget":
    """What the demo needs to know of a lab."""
    from labctl.cli.guest import guest_image
    from labctl.cloud.demo.target import DemoTarget
    from labctl.lab.addresses import AddressPlan

    state = find_lab(name)
    lab = lab_file(state)
    assert lab.address_range  # noqa: S101 - a lab that was brought up has one
    plan = AddressPlan(lab.address_range)
    return DemoTarget(
        lab=state.name,
        clouds_yaml=state.clouds_yaml,
        gateway_address=plan.gateway,
        provider_network=plan.provider,
        provider_gateway=plan.provider_gateway,
        floating_pool=plan.floating_pool,
        mtu=1500,
        nodes=lab.nodes,
        guest=guest_image(lab),
    )


def host_ping(lab: str) -> "Ping":
    """A ping from the host's own network namespace, for users who may not open ICMP sockets."""
    from labctl.bringup.up import runtime_references
    from labctl.catalog.folders import catalog_folders
    from labctl.engine.ping import ping_from_host

    release = lab_file(LabState(lab)).release
    reference = runtime_references(catalog_folders(), release)["client"]

    def ping(address: IPv4Address) -> float | None:
        return ping_from_host(reference, address, lab)

    return ping
