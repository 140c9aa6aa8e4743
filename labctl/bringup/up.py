"""`labctl up`: from a lab file to a cloud that is usable."""

import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import docker

from labctl.bringup.birth import write_birth
from labctl.bringup.differences import differences
from labctl.bringup.down import remove_lab
from labctl.bringup.drop_ins import refuse_bad_drop_ins
from labctl.bringup.execute import StepEvents, runs_already, start_services, take_away
from labctl.bringup.kvm import virtualization
from labctl.bringup.machine import (
    available_memory_mb,
    check_disk,
    check_memory,
    check_more_nodes,
    check_ports,
    free_disk_mb,
    image_labels,
    stale_schemas,
    wildcard_ports,
)
from labctl.bringup.migrate import migrate, read_stamps, stamps_of, write_stamps
from labctl.bringup.plan import DATABASE, Action, Plan, changed_files, plan_bring_up
from labctl.bringup.prepare import (
    DropIns,
    Prepared,
    make_plan,
    prepare,
    range_lock,
    refuse_to_lose_nodes,
    with_drop_ins,
    with_range,
    write_files,
)
from labctl.bringup.reach import look_up
from labctl.bringup.ready import wait_for_cloud, wait_for_services
from labctl.bringup.seen import SECRETS, Seen, look
from labctl.bringup.source import read_trees
from labctl.bringup.wanted import Wanted, read_wanted
from labctl.bringup.watch import Observed, Watch
from labctl.build.naming import naming
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import load_images
from labctl.catalog.profile import load_profiles
from labctl.engine.images import image_contents
from labctl.engine.lab_lock import lab_lock, other_owner, teller
from labctl.engine.machine import prepare_nodes
from labctl.engine.volumes import lab_volumes
from labctl.errors import BringUpFailed
from labctl.events import Emit, Note, PlanMade, PlannedStep, step
from labctl.lab.addresses import CANDIDATES
from labctl.lab.file import LabFile, with_values
from labctl.lab.locks import locked
from labctl.lab.names import node_folders
from labctl.lab.profiles import check_profiles
from labctl.lab.state import LabState, cache_root
from labctl.render.lab import LabPlan, host_ports
from labctl.yaml_input import load_own_yaml


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
        pages: Service to the address of what it has for browsers, of those that have something.
        is_new: Whether its databases were made by this.
    """

    lab: LabFile
    prepared: Prepared
    seconds: float
    observed: Mapping[str, Observed]
    depends_on: Mapping[str, tuple[str, ...]]
    begin: float
    ready: float
    pages: Mapping[str, str] = field(default_factory=dict)
    is_new: bool = False


def bring_up(
    client: docker.DockerClient,
    folders: CatalogFolders,
    wanted: LabFile,
    emit: Emit,
    *,
    adopt: bool = False,
    passing: DropIns | None = None,
) -> BroughtUp:
    """Brings a lab up, or finishes what is missing of it: looks, plans, says what it will do, does it.

    Args:
        client: The engine.
        folders: The catalog.
        wanted: The lab.
        emit: Told about the steps.
        adopt: Whether it may be another user's; all of that is removed first.
        passing: More drop-ins, which the lab file does not have: the next `up` takes them away.

    Raises:
        NotYours: It is another user's.
        BadInput: Images are missing, a file is wrong, or a node of the lab would go.
        MachineConflict: The machine cannot take it.
        BringUpFailed: A service failed, or the wait ran out.
    """
    begin = time.time()
    state = LabState(wanted.name)
    steps = StepEvents(emit)
    with lab_lock(client, wanted.name, emit, adopt=adopt), ExitStack() as until_ready:
        if adopt:
            remove_others(client, folders, wanted, emit)
        with locked("addresses", teller(emit, "the choice of addresses")):
            proposal = propose(client, folders, wanted, emit, passing=passing)
            until_ready.enter_context(range_lock(proposal.prepared.lab))
            emit(proposal.event)
            for planned in proposal.plan.of(Action.WRITE):
                with steps.doing(planned):
                    write_files(state, proposal.prepared)
        lab, prepared = proposal.prepared.lab, proposal.prepared
        for planned in proposal.plan.of(Action.PREPARE):
            with steps.doing(planned):
                image = runtime_references(folders, lab.release)["neutron-agents"]
                prepare_nodes(image, lab.name, node_folders(lab.name), [node.name for node in prepared.plan.nodes])
        with Watch(client, lab.name, emit, proposal.wanted.jobs) as watch:
            if proposal.plan.steps:
                # Should this be interrupted, the next one still knows what the volume holds.
                if proposal.seen.stamps is not None:
                    write_stamps(client, state, proposal.database_image, proposal.seen.stamps)
                take_away(client, proposal.plan, steps)
                migrate(client, state, proposal.plan, proposal.wanted, proposal.seen.stamps or {}, steps)
            # Migrations take what they take; the limit is for services.
            deadline = time.monotonic() + lab.seconds_to_wait
            if proposal.plan.steps:
                # Compose gives up at the first death of a service that others wait for. One that was started before
                # may yet die of what was wrong then, such as a full disk; the engine starts it again.
                if running := runs_already(proposal.plan, proposal.wanted):
                    wait_for_services(client, watch, deadline, among=running)
                start_services(client, state, proposal.plan, proposal.wanted, watch, deadline, steps)
            stamps = {one.schema: one.stamp for one in proposal.wanted.migrations}
            if stamps != proposal.seen.stamps:
                write_stamps(client, state, proposal.database_image, stamps)
            if proposal.seen.stamps is None:
                write_birth(client, state, proposal.database_image)
            for planned in proposal.plan.of(Action.WAIT):
                steps.begin(planned)
                wait_for_services(client, watch, deadline)
            wait_for_cloud(client, state, prepared, watch, deadline, emit)
            for planned in proposal.plan.of(Action.WAIT):
                steps.end(planned)
        ready = time.time()
    waits_for = {service.name: tuple(sorted(service.waits_for)) for service in proposal.wanted.services}
    pages = {name: one.page for name, one in sorted(watch.states.items()) if one.page}
    is_new = proposal.seen.stamps is None
    return BroughtUp(lab, prepared, ready - begin, watch.observed, waits_for, begin, ready, pages, is_new)


def remove_others(client: docker.DockerClient, folders: CatalogFolders, wanted: LabFile, emit: Emit) -> None:
    """Removes a lab of another user's, for one of this user's in its place; nothing where it is this user's.

    Its data goes too: its files belong to the other user's uid, and its secrets only he can read.

    Raises:
        BadInput, MachineConflict, BringUpFailed: As `propose`; nothing was removed.
    """
    if owner := other_owner(client, wanted.name):
        propose(client, folders, wanted, emit)
        emit(Note(f"{owner}'s lab {wanted.name!r} is removed, with its data."))
        remove_lab(client, wanted.name, emit)


@dataclass(frozen=True)
class Proposal:
    """What `up` would do.

    Attributes:
        prepared: The lab's files, in memory.
        wanted: The lab as it shall be.
        seen: The lab as it is.
        plan: The steps between the two.
        database_image: The reference of the database's image.
    """

    prepared: Prepared
    wanted: Wanted
    seen: Seen
    plan: Plan
    database_image: str

    @property
    def event(self) -> PlanMade:
        """The plan, for people and programs, with everything secret masked."""
        changed = changed_files(self.wanted.files, self.seen.files) if not self.plan.is_first else ()
        old = load_own_yaml(self.seen.files.get(SECRETS, b"")) or {}
        secrets = {*old.values(), *self.prepared.secrets.values.values()}
        return PlanMade(
            steps=tuple(PlannedStep(step.id, step.what, step.why) for step in self.plan.steps),
            differences=differences(self.seen.files, self.wanted.files, changed, secrets),
            is_first=self.plan.is_first,
        )


def propose(
    client: docker.DockerClient,
    folders: CatalogFolders,
    wanted: LabFile,
    emit: Emit,
    *,
    may_probe: bool = True,
    passing: DropIns | None = None,
) -> Proposal:
    """Looks at what is there and works out what `up` has to do. Changes nothing.

    Args:
        client: The engine.
        folders: The catalog.
        wanted: The lab.
        emit: Told about the steps.
        may_probe: Whether a guest may be run to find out if KVM works.
        passing: As for `bring_up`.

    Raises:
        BadInput: Images or profiles are missing, a file is wrong, or a node of the lab would go.
        MachineConflict: The machine cannot take it.
        BringUpFailed: The database layer was migrated by other packages.
    """
    state = LabState(wanted.name)
    refuse_half_restored(state)
    refuse_to_lose_nodes(state, wanted, lab_volumes(client, state.name))
    check_profiles(wanted, load_profiles(folders))
    references = runtime_references(folders, wanted.release, wanted.profiles)
    check_images(client, folders, references, wanted.profiles)
    refuse_bad_drop_ins(folders, wanted, emit)
    database = references[DATABASE]
    seen = replace(look(client, state), stamps=read_stamps(client, state, database))
    if not seen.containers:
        check_machine(client, folders, state, wanted, references)
    elif coming := set(wanted.nodes) - {one.service for one in seen.containers}:
        check_more_nodes(len(coming), available_memory_mb())
    opening = look_up(client, wanted.reach)
    sources = read_trees(folders, wanted, somewhere(state, wanted, references), emit)
    lab = with_range(client, state, wanted)
    found = virtualization(references["libvirt"], cache_root() / "virtualization", may_probe=may_probe)
    if found.type == "qemu":
        emit(Note(f"Guests run under QEMU's emulation, not KVM: {found.reason}."))
    with step(emit, "render") as evidence:
        shape = with_drop_ins(make_plan(state, lab, references, found.type, sources, opening), passing or {})
        prepared = prepare(folders, state, lab, shape)
        shall_be = read_wanted(
            prepared.rendered["compose.yaml"],
            prepared.files,
            image_contents(client, references.values()),
            stamps_of(client.images.get(database).labels),
        )
        plan = plan_bring_up(shall_be, seen)
        evidence.text = f"{len(prepared.files)} files, of which {len(changed_files(prepared.files, seen.files))} differ"
    return Proposal(prepared, shall_be, seen, plan, database)


def refuse_half_restored(state: LabState) -> None:
    """Refuses a lab whose data is half a snapshot's: the restore was interrupted.

    Raises:
        BringUpFailed: It is such a lab.
    """
    if state.being_restored.exists():
        name = state.being_restored.read_text()
        if not name:
            raise BringUpFailed(
                "The reset was interrupted, and the lab's data is incomplete.",
                remedy=f"`labctl reset --name {state.name}` does it again.",
            )
        raise BringUpFailed(
            f"The restore of the snapshot {name!r} was interrupted, and the lab's data is incomplete.",
            remedy=f"`labctl snapshot restore --name {state.name} {name}` does it again; "
            f"`labctl reset --name {state.name}` makes the lab empty.",
        )


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


def runtime_references(folders: CatalogFolders, release: str, profiles: Collection[str] = ()) -> dict[str, str]:
    """Image name to reference, of the images that containers of a lab with some profiles run."""
    names, needed = naming(release), load_profiles(folders).closure(profiles)
    return {image.name: names.reference(image.name) for image in load_images(folders).containers(needed)}


def check_images(
    client: docker.DockerClient, folders: CatalogFolders, references: Mapping[str, str], profiles: Collection[str] = ()
) -> None:
    """Refuses to start with images that are missing or do not fit together.

    Raises:
        BadInput: Images are missing.
        BringUpFailed: The database layer was migrated by other packages.
    """
    labels = image_labels(client, references, profiles)
    for image in load_images(folders).containers():
        stale = stale_schemas(labels, image.file.schemas, image.name)
        if stale:
            raise BringUpFailed(
                f"The database layer of {references[image.name]} was not made by the images that are there.",
                evidence=[f"the schema of {name} was migrated by other packages" for name in stale],
                remedy=f"Run `labctl build {image.name}`.",
            )
