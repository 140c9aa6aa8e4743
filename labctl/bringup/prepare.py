"""From a lab file to the files of its state folder."""

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from pathlib import Path

import docker

from labctl.bringup.seen import LAB_FILE, SECRETS
from labctl.catalog.folders import CatalogFolders
from labctl.engine.networks import docker_ranges
from labctl.engine.routes import routed_networks
from labctl.errors import BadInput, MachineConflict
from labctl.files import write_file, write_folder
from labctl.lab.addresses import AddressPlan, choose_range
from labctl.lab.file import LabFile, dump_lab_file, with_values
from labctl.lab.locks import Holder, held, locked
from labctl.lab.nodes import parse_nodes
from labctl.lab.owner import this_user
from labctl.lab.reach import CLOSED, Opening
from labctl.lab.secrets import Secrets, dump_secrets, read_secrets, write_secrets
from labctl.lab.state import LabState, known_labs
from labctl.render.lab import LabPlan, needed_secrets, render_lab
from labctl.render.source import SourceTree
from labctl.yaml_input import load_own_yaml

RANGE = "range-"
SERVICE_UID = 64100
"""Runs the services where labctl itself runs as root; images/base makes the user."""


DropIns = Mapping[str, tuple[tuple[str, bytes], ...]]
"""Service to the names and contents of drop-in files, in the order in which they are read."""


@dataclass(frozen=True)
class Prepared:
    """A lab whose files are made, in memory.

    Attributes:
        lab: The lab file, with the address range filled in.
        plan: What decides what the files are.
        secrets: Those that there are, and new ones where some are missing.
        rendered: Path below the project folder to content.
    """

    lab: LabFile
    plan: LabPlan
    secrets: Secrets = field(repr=False)
    rendered: Mapping[str, bytes] = field(repr=False)

    @property
    def files(self) -> dict[str, bytes]:
        """All files of the lab, named as `labctl.bringup.seen` names them."""
        return {
            LAB_FILE: dump_lab_file(self.lab).encode(),
            SECRETS: dump_secrets(self.secrets),
            **self.rendered,
        }


def with_range(client: docker.DockerClient, state: LabState, wanted: LabFile) -> LabFile:
    """Fills the lab's address range in: the one that it has, the one that is asked for, or one that is free.

    Nothing is written: whoever wants to keep it holds the lock `addresses` until it has the range's own (`range_lock`).

    Raises:
        MachineConflict: No range is free, or the wanted one is taken.
    """
    known = saved_range(state) if state.exists else None
    if known and wanted.address_range in (None, known):
        return with_values(wanted, address_range=known)
    chosen = ranges_being_taken()
    others = [saved_range(other) for other in known_labs() if other.name != state.name]
    taken = [
        network
        for network in (*routed_networks(), *docker_ranges(client, but_of_project=state.project), *others, *chosen)
        if network and not (known and network.subnet_of(known))
    ]
    return with_values(wanted, address_range=choose_range(taken, wanted.address_range))


@contextmanager
def range_lock(lab: LabFile) -> Iterator[None]:
    """Keeps a lab's range from others until its networks are on the engine; these cannot read this user's lab files.

    Raises:
        MachineConflict: Another lab is getting it.
    """

    def refuse(holder: Holder) -> None:
        raise MachineConflict(
            f"Another lab is getting the address range {lab.address_range} at this moment.",
            evidence=[f"process {holder.process} of {holder.user}"],
            remedy="Name another `address_range` in the lab file.",
        )

    with locked(f"{RANGE}{lab.address_range}", refuse):
        yield


def ranges_being_taken() -> tuple[IPv4Network, ...]:
    """The ranges of labs, anybody's, that are being brought up; a lock that names no range is a stranger's."""
    found = []
    for text in held(RANGE):
        with suppress(ValueError):
            found.append(IPv4Network(text))
    return tuple(found)


def saved_range(state: LabState) -> IPv4Network | None:
    """The address range of a lab that was brought up before; nothing else of its lab file is looked at."""
    text = (load_own_yaml(state.lab_file.read_text()) or {}).get("address_range")
    return IPv4Network(text) if text else None


def saved_nodes(state: LabState) -> tuple[str, ...]:
    """The compute nodes of a lab that was brought up before; none where there is no such lab."""
    if not state.exists:
        return ()
    return parse_nodes((load_own_yaml(state.lab_file.read_text()) or {}).get("nodes", 1))


def refuse_to_lose_nodes(state: LabState, wanted: LabFile, volumes: Collection[str]) -> None:
    """Refuses a lab with fewer nodes than it has: servers may be on them, and `up` moves none.

    Args:
        state: The lab as it is.
        wanted: What it shall be.
        volumes: The volumes that it has; a node without any holds nothing.

    Raises:
        BadInput: A node would go.
    """
    filled = {volume.partition("-")[0] for volume in volumes}
    leaving = [name for name in saved_nodes(state) if name in filled and name not in wanted.nodes]
    if leaving:
        raise BadInput(
            f"The lab {state.name!r} has {', '.join(leaving)}, and `up` takes no nodes away.",
            evidence=[f"it has {', '.join(saved_nodes(state))}", f"asked for: {', '.join(wanted.nodes)}"],
            remedy=f"`labctl scale --name {state.name} --nodes N` and `labctl node remove --name {state.name} NODE` "
            "move the servers first.",
        )


def make_plan(
    state: LabState,
    lab: LabFile,
    references: Mapping[str, str],
    virt_type: str,
    sources: Mapping[str, SourceTree] | None = None,
    opening: Opening = CLOSED,
) -> LabPlan:
    """Everything that decides what the lab's files are."""
    assert lab.address_range  # noqa: S101 - with_range has filled it in
    addresses = AddressPlan(lab.address_range)
    return LabPlan(
        name=lab.name,
        project=state.project,
        network_prefix="lab" + hashlib.sha256(lab.name.encode()).hexdigest()[:7],
        addresses=addresses,
        nodes=addresses.nodes(lab.nodes),
        virt_type=virt_type,
        references=references,
        user=f"{service_uid()}:0",
        owner=this_user().label,
        drop_ins={service: read_drop_ins(paths) for service, paths in lab.configuration.items()},
        sources=sources or {},
        profiles=lab.profiles,
        glance_store=lab.glance.store,
        image_backend=lab.images,
        network=lab.network,
        opening=opening,
        tls=lab.tls,
        ca_file=state.ca_file,
    )


def with_drop_ins(plan: LabPlan, more: DropIns) -> LabPlan:
    """A lab with more drop-ins than its lab file names, which are read after those."""
    both = {service: (*plan.drop_ins.get(service, ()), *files) for service, files in more.items()}
    return replace(plan, drop_ins={**plan.drop_ins, **both})


def prepare(folders: CatalogFolders, state: LabState, lab: LabFile, plan: LabPlan) -> Prepared:
    """Makes the secrets that are missing, and renders; writes nothing.

    Raises:
        BadInput: A template is wrong.
    """
    secrets = read_secrets(state.secrets).with_names(needed_secrets(folders, plan))
    return Prepared(lab, plan, secrets, render_lab(folders, plan, secrets))


def write_files(state: LabState, prepared: Prepared) -> None:
    """Writes what differs; a file is never half there, and one that is as it shall be is not touched."""
    write_file(state.lab_file, dump_lab_file(prepared.lab).encode())
    write_secrets(state.secrets, prepared.secrets)
    write_folder(state.rendered, prepared.rendered)
    give_to_services(state.rendered)


def drop_in_paths(paths: tuple[Path, ...]) -> tuple[Path, ...]:
    """The drop-in files that the lab file names: files, and the *.conf files of folders, by name."""
    return tuple(file for path in paths for file in (sorted(path.glob("*.conf")) if path.is_dir() else [path]))


def read_drop_ins(paths: tuple[Path, ...]) -> tuple[tuple[str, bytes], ...]:
    """The names and contents of drop-in files, in order.

    Raises:
        BadInput: One cannot be read.
    """
    try:
        return tuple((file.stem + ".conf", file.read_bytes()) for file in drop_in_paths(paths))
    except OSError as error:
        raise BadInput(f"A drop-in file cannot be read: {error}") from None


def service_uid() -> int:
    """The user that services run as: whoever runs labctl, unless that is root."""
    return os.getuid() or SERVICE_UID


def give_to_services(folder: Path) -> None:
    """Makes the rendered files readable for the services' user, and for nobody else.

    It is that user's already, except where labctl runs as root.
    """
    if os.getuid():
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, SERVICE_UID, 0)
