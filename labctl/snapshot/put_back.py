"""Data is put back under services that go on: what a lab holds is replaced while most of what it runs keeps running.

Starting services is what a restore waits for. So those go on that the Compose templates say outlive the database
(`x-outlives-database`): they connect to it again by themselves, and remember nothing of it that could be wrong, since
the databases before and after have the same birth. All others are killed, with the guests; then what Neutron made in
the nodes is taken away and the data replaced, and `up` starts what does not run.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

import docker

from labctl.bringup.birth import read_birth
from labctl.bringup.execute import AT_ONCE
from labctl.bringup.plan import DATABASE
from labctl.bringup.prepare import saved_range, service_uid
from labctl.engine.broker import BROKER, empty_broker
from labctl.engine.containers import ServiceState, service_states
from labctl.engine.copying import copy_back
from labctl.engine.machine import end_guests, remove_networks
from labctl.engine.process import run
from labctl.engine.volumes import lab_volumes
from labctl.events import Emit, step
from labctl.lab.names import guest_group, node_folders
from labctl.lab.secrets import read_secrets
from labctl.lab.state import LabState
from labctl.render.compose import FORGET, OUTLIVES
from labctl.snapshot.create import running_images
from labctl.snapshot.manifest import Manifest


@dataclass(frozen=True)
class There:
    """What a lab is, as far as it matters whether its services can go on.

    Attributes:
        wanted: Its services, as it was brought up, to their definitions.
        services: Those that have a container.
        images: Reference to what it holds, of the images that they run.
        volumes: Its volumes, by their names in the Compose file.
        address_range: Its addresses.
        secrets: Its secrets.
        birth: That of its databases.
        is_whole: Whether no restore of it was interrupted.
    """

    wanted: Mapping[str, Mapping[str, Any]]
    services: Mapping[str, ServiceState]
    images: Mapping[str, str]
    volumes: Mapping[str, str]
    address_range: IPv4Network | None
    secrets: Mapping[str, str] = field(repr=False)
    birth: str
    is_whole: bool


def look(client: docker.DockerClient, state: LabState) -> There | None:
    """Looks once at a lab; None where it was never brought up, or has no database."""
    services, wanted = service_states(client, state.name), state.services
    if DATABASE not in services or not wanted:
        return None
    return There(
        wanted=wanted,
        services=services,
        images=running_images(client, state, services),
        volumes=lab_volumes(client, state.name),
        address_range=saved_range(state),
        secrets=read_secrets(state.secrets).values,
        birth=read_birth(client, state, services[DATABASE].image),
        is_whole=not state.being_restored.exists(),
    )


def obstacle(manifest: Manifest, there: There | None) -> str:
    """Says why a lab's services cannot go on while it becomes what a manifest says; empty where they can. Pure."""
    if there is None or (missing := sorted(set(there.wanted) - set(there.services))):
        return f"there is no {', '.join(missing) if there else DATABASE}"
    if waiting := [f"{name} is {one.summary}" for name, one in there.services.items() if not one.is_ready]:
        return ", ".join(waiting)
    reasons = {
        "its data is incomplete": not there.is_whole,
        "it has other addresses": there.address_range != manifest.lab.address_range,
        "it has other nodes or services": {*there.volumes, BROKER} != {*manifest.volumes, BROKER},
        "it runs other images": there.images != manifest.images,
        "it has other secrets": there.secrets != manifest.secrets,
        "its databases are others": not manifest.birth or there.birth != manifest.birth,
    }
    return next((reason for reason, is_so in reasons.items() if is_so), "")


def put_back(
    client: docker.DockerClient, there: There, state: LabState, manifest: Manifest, snapshot: str, emit: Emit
) -> None:
    """Replaces what a lab holds, and leaves to `up` to start what does not run; for holders of the lab's lock.

    Args:
        client: The engine.
        there: The lab as it is.
        state: The lab; nothing is in the way (`obstacle`), and `being_restored` is there.
        manifest: What it shall hold.
        snapshot: The volume with that.
        emit: Told about the steps.

    Raises:
        CommandFailed: The machine would not, or the disk is full.
    """
    services = there.services
    with step(emit, "end what does not outlive the database") as evidence:
        ending = [one.container for name, one in services.items() if ends(one, there.wanted.get(name, {}))]
        # With their data replaced there is nothing that a slow stop would save.
        at_once(lambda container: client.api.stop(container, timeout=0), ending)
        evidence.text = f"{len(ending)} of {len(services)} services"
    with step(emit, "remove guests and networks") as evidence:
        image = services[DATABASE].image
        guests = end_guests(image, state.name, node_folders(state.name), guest_group(state.name))
        at_once(remove_networks, [one.container for name, one in services.items() if one.node == name])
        evidence.text = f"{guests} guests"
    with step(emit, "put the data back") as evidence:
        kept = {key: there.volumes[key] for key in manifest.volumes if key != BROKER}
        copy_back(image, state.name, kept, snapshot, (manifest.uid, service_uid()))
        for name, definition in there.wanted.items():
            if command := definition.get(FORGET):
                run(["docker", "exec", services[name].container, *command])
        empty_broker(services[BROKER].container)
        evidence.text = f"{len(kept)} volumes, {manifest.size // 10**6} MB"


def ends(one: ServiceState, definition: Mapping[str, Any]) -> bool:
    """Whether a service must not run while the database is replaced."""
    return one.status == "running" and not definition.get(OUTLIVES)


def at_once(work: Callable[[str], object], containers: Iterable[str]) -> None:
    """Does the same to many containers."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(work, containers))
