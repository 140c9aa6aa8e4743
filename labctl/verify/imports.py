"""Glance imports from the machine's own address while tests need it, and then from nowhere else.

It is a drop-in that the lab file does not know: should labctl be killed meanwhile, the next `up` takes it away.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address

import docker

from labctl.bringup.up import bring_up, propose
from labctl.catalog.folders import CatalogFolders
from labctl.errors import BadInput, LabctlError
from labctl.events import Emit, Event, Note, step
from labctl.lab.file import LabFile
from labctl.verify.suite import TempestTest

NAME = "zz-verify.conf"
"""The last of Glance's drop-ins, as oslo.config reads them by name."""

WEB_DOWNLOAD = "web_download"
"""In the names of tests that have Glance fetch an image (tempest/api/image). Locations of images it does not filter."""


def needs_imports(tests: Iterable[TempestTest]) -> bool:
    """Whether tests have Glance fetch an image from where labctl serves one."""
    return any(WEB_DOWNLOAD in test.id for test in tests)


def drop_in(address: IPv4Address, port: int) -> bytes:
    """What lets Glance import from one address and port alone: where hosts are allowed, no others are."""
    lines = ("[import_filtering_opts]", f"allowed_hosts = [{address}]", f"allowed_ports = [{port}]")
    return "".join(f"{line}\n" for line in lines).encode()


@contextmanager
def imports_from(
    client: docker.DockerClient, folders: CatalogFolders, lab: LabFile, address: IPv4Address, port: int, emit: Emit
) -> Iterator[None]:
    """Lets Glance import from an address while the body runs.

    Raises:
        BadInput: `up` would change more of the lab than that.
    """
    with step(emit, f"Let Glance import from {address}:{port}"):
        planned = propose(client, folders, lab, _unheard, may_probe=False).plan
        if planned.steps:
            raise BadInput(
                f"The lab {lab.name!r} is not what its files say.",
                evidence=[f"{one.what}: {one.why}" for one in planned.steps][:5],
                remedy=f"`labctl up --name {lab.name}` first.",
            )
        bring_up(client, folders, lab, _unheard, passing={"glance": ((NAME, drop_in(address, port)),)})
    try:
        yield
    finally:
        try:
            with step(emit, "Let Glance import as before"):
                bring_up(client, folders, lab, _unheard)
        except LabctlError as error:
            text = f"Glance may still import from {address}:{port}; `labctl up` ends that: {error.what}"
            emit(Note(text, level="warning"))


def _unheard(event: Event) -> None:
    """Steps of an `up` within a step of `verify` are told nobody."""
