"""`labctl up`: from a lab file to a cloud that is usable."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import docker
import yaml

from labctl.bringup.drop_ins import refuse_bad_drop_ins
from labctl.bringup.kvm import virtualization
from labctl.bringup.leftovers import forget_nodes, remove_volumes
from labctl.bringup.machine import (
    available_memory_mb,
    check_disk,
    check_memory,
    check_ports,
    free_disk_mb,
    image_labels,
    stale_schemas,
    wildcard_ports,
)
from labctl.bringup.prepare import Prepared, make_plan, prepare, refuse_to_lose_nodes, settle_lab_file
from labctl.bringup.source import read_trees
from labctl.bringup.watch import Observed, Watch, wait
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import load_images
from labctl.engine import compose
from labctl.engine.containers import DEFINITION_LABEL, ServiceState, last_log_lines, service_states
from labctl.engine.volumes import lab_volumes
from labctl.errors import BringUpFailed
from labctl.events import Emit, Note, step
from labctl.lab.addresses import CANDIDATES, Role
from labctl.lab.file import LabFile, with_values
from labctl.lab.state import LabState, cache_root, locked
from labctl.render.images import Naming
from labctl.render.lab import LabPlan, host_ports

LOG_LINES = 20
AGENTS_OF_EVERY_NODE = ("neutron-linuxbridge-agent",)
AGENTS_OF_NETWORK_NODE = ("neutron-l3-agent", "neutron-dhcp-agent", "neutron-metadata-agent")


@dataclass(frozen=True)
class BroughtUp:
    """A lab that is ready.

    Attributes:
        lab: What it is, every value filled in.
        prepared: Its files.
        seconds: From the start to ready.
        observed: Service to when it began and was ready, of the services that were not ready before.
        depends_on: Service to those that it waits for.
        begin: When it all began, in seconds since the epoch.
        ready: When the cloud was usable.
    """

    lab: LabFile
    prepared: Prepared
    seconds: float
    observed: Mapping[str, Observed]
    depends_on: Mapping[str, tuple[str, ...]]
    begin: float
    ready: float


def bring_up(client: docker.DockerClient, folders: CatalogFolders, wanted: LabFile, emit: Emit) -> BroughtUp:
    """Brings a lab up, or finishes what is missing of it.

    Raises:
        BadInput: Images are missing, a file is wrong, or a node of the lab would go.
        MachineConflict: The machine cannot take it.
        BringUpFailed: A service failed, or the wait ran out.
    """
    begin = time.time()
    state = LabState(wanted.name)
    with locked(f"lab-{wanted.name}"):
        refuse_to_lose_nodes(state, wanted, lab_volumes(client, state.name))
        references = runtime_references(folders, wanted.release)
        check_images(client, folders, references)
        refuse_bad_drop_ins(folders, wanted, emit)
        running = service_states(client, wanted.name)
        if not running:
            check_machine(client, folders, state, wanted, references)
        sources = read_trees(folders, wanted, somewhere(state, wanted, references), emit)
        lab = settle_lab_file(client, state, wanted)
        found = virtualization(references["libvirt"], cache_root() / "virtualization")
        if found.type == "qemu":
            emit(Note(f"Guests run under QEMU's emulation, not KVM: {found.reason}."))
        with step(emit, "render") as evidence:
            prepared = prepare(folders, state, lab, make_plan(state, lab, references, found.type, sources))
            evidence.text = f"{len(prepared.changed)} files changed in {state.rendered}"
        deadline = time.monotonic() + lab.wait_timeout
        with Watch(client, lab.name, emit) as watch:
            change = change_of(client, state, watch.states, references)
            if change == Change():
                emit(Note("Every service is there, as wanted and ready: none is touched."))
            else:
                start_services(client, state, watch, emit, change)
                wait_for_services(client, watch, deadline)
            wait_for_cloud(client, state, prepared, watch, deadline, emit)
            remove_volumes(client, lab.name, lab.nodes, emit)
        ready = time.time()
    return BroughtUp(lab, prepared, ready - begin, watch.observed, dependencies(state), begin, ready)


def check_machine(
    client: docker.DockerClient,
    folders: CatalogFolders,
    state: LabState,
    wanted: LabFile,
    references: Mapping[str, str],
) -> None:
    """Refuses a lab that the machine cannot take, before anything is written.

    Raises:
        MachineConflict: Memory or disk is short, or a port is taken.
    """
    check_memory(len(wanted.nodes), available_memory_mb())
    check_disk(len(wanted.nodes), *free_disk_mb(client))
    check_ports(host_ports(folders, somewhere(state, wanted, references)), wildcard_ports())


def somewhere(state: LabState, wanted: LabFile, references: Mapping[str, str]) -> LabPlan:
    """The lab in any address range, to ask for what is the same in all: ports, and what its services are."""
    return make_plan(state, with_values(wanted, address_range=CANDIDATES[0]), references, "qemu")


def runtime_references(folders: CatalogFolders, release: str) -> dict[str, str]:
    """Image name to reference, of the images that containers run."""
    naming = Naming(release)
    return {image.name: naming.reference(image.name) for image in load_images(folders).containers}


def check_images(client: docker.DockerClient, folders: CatalogFolders, references: Mapping[str, str]) -> None:
    """Refuses to start with images that are missing or do not fit together.

    Raises:
        BadInput: Images are missing.
        BringUpFailed: The database layer was migrated by other packages.
    """
    labels = image_labels(client, references)
    for image in load_images(folders).containers:
        stale = stale_schemas(labels, image.file.schemas, image.name)
        if stale:
            raise BringUpFailed(
                f"The database layer of {references[image.name]} was not made by the images that are there.",
                evidence=[f"the schema of {name} was migrated by other packages" for name in stale],
                remedy=f"Run `labctl build {image.name}`.",
            )


@dataclass(frozen=True)
class Change:
    """What keeps a lab from being as wanted.

    Attributes:
        everything: Whether services are missing, not ready, or too many: Compose has to look at all of them.
        only: Else the services that run, and as something else than they are defined to be now.
    """

    everything: bool = False
    only: frozenset[str] = frozenset()


def change_of(
    client: docker.DockerClient,
    state: LabState,
    states: Mapping[str, ServiceState],
    references: Mapping[str, str],
) -> Change:
    """Compares the services with how they are defined now, and with the images that are there now.

    Asked before Compose is, which starts the jobs that are done again each time.
    """
    services = yaml.safe_load(state.compose_file.read_text())["services"]
    if set(states) != set(services) or not all(seen.is_ready for seen in states.values()):
        return Change(everything=True)
    images = {client.images.get(reference).id for reference in references.values()}
    differ = frozenset(
        name
        for name, seen in states.items()
        if seen.definition != services[name]["labels"][DEFINITION_LABEL] or seen.image not in images
    )
    # What others wait for may change under them, they reconnect; the owner of their network namespace may not.
    owners = {service.get("network_mode", "").removeprefix("service:") for service in services.values()}
    return Change(everything=True) if differ & owners else Change(only=differ)


def start_services(client: docker.DockerClient, state: LabState, watch: Watch, emit: Emit, change: Change) -> None:
    """Runs Compose.

    Raises:
        BringUpFailed: A service that others wait for failed.
    """
    said: list[str] = []
    with step(emit, "start services" if change.everything else f"make {len(change.only)} services anew"):
        exit_code = compose.up(state.project, state.compose_file, said.append, change.only)
        watch.look()
        if exit_code:
            raise failure(client, watch, said[-5:])


def wait_for_services(client: docker.DockerClient, watch: Watch, deadline: float) -> None:
    """Waits until every container is healthy.

    Raises:
        BringUpFailed: One will not come up, or the wait ran out.
    """
    wait(lambda: bool(watch.stuck()) or not watch.waiting_for(), max(0.0, deadline - time.monotonic()))
    if watch.stuck() or watch.waiting_for():
        raise failure(client, watch, watch.waiting_for())


def wait_for_cloud(
    client: docker.DockerClient, state: LabState, prepared: Prepared, watch: Watch, deadline: float, emit: Emit
) -> None:
    """Waits until the cloud can be used: computes up and mapped, inventories there, agents alive, no other node known.

    Raises:
        BringUpFailed: The wait ran out.
    """
    from labctl.cloud.connection import connect
    from labctl.cloud.readiness import CloudView, Expected, departed, drained, fetch_view, missing

    nodes = prepared.plan.nodes
    expected = Expected(
        nodes=tuple(node.name for node in nodes if node.role is Role.COMPUTE),
        agents={
            node.name: frozenset(AGENTS_OF_EVERY_NODE + (AGENTS_OF_NETWORK_NODE if node.role is Role.NETWORK else ()))
            for node in nodes
        },
    )
    admin = connect(state.clouds_yaml, f"{state.name}-admin")
    view = CloudView((), frozenset(), {}, ())

    def usable() -> bool:
        nonlocal view
        view = fetch_view(admin, expected.nodes)
        return not missing(view, expected)

    with step(emit, "wait until the cloud is usable") as evidence:
        if not wait(usable, max(0.0, deadline - time.monotonic()), poll=0.5):
            raise failure(client, watch, missing(view, expected))
        evidence.text = f"{len(expected.nodes)} nova-compute up, mapped and with inventories; all agents alive"
    forget_nodes(admin, departed(view, expected), emit)
    for node in drained(view, expected):
        emit(Note(f"No new server goes to {node}; `labctl node drain NODE --undo` changes that."))


def failure(client: docker.DockerClient, watch: Watch, reasons: tuple[str, ...] | list[str]) -> BringUpFailed:
    """The error for a lab that does not come up: which service, and the end of its log."""
    bad = watch.worst()
    evidence = list(reasons)
    if bad:
        evidence += [f"last lines of {bad.service} ({bad.summary}):"]
        evidence += [f"  {line}" for line in last_log_lines(client, bad.container, LOG_LINES)]
    return BringUpFailed(
        f"The lab {watch.lab!r} did not become ready" + (f": {bad.service} is {bad.summary}." if bad else "."),
        evidence=evidence,
        remedy=f"`labctl up --name {watch.lab}` goes on from here; `labctl logs {bad.service if bad else 'SERVICE'}` "
        f"shows more; `labctl down --name {watch.lab}` removes it.",
    )


def dependencies(state: LabState) -> dict[str, tuple[str, ...]]:
    """Service to those that it waits for, from the lab's Compose file."""
    services = yaml.safe_load(state.compose_file.read_text())["services"]
    return {name: tuple(service.get("depends_on") or ()) for name, service in services.items()}
