"""Nodes come and go: drained first, then left out of the lab file, then forgotten.

The lab file is what decides. Until a node has left it, an interrupted removal is a node that takes no new servers; from
then on `up` finishes the job: it removes what is there of nodes that the lab has no more (`labctl.bringup.leftovers`).
"""

from collections.abc import Sequence

import docker
from openstack.connection import Connection

from labctl.bringup.prepare import saved_nodes
from labctl.bringup.up import BroughtUp, bring_up
from labctl.catalog.folders import CatalogFolders
from labctl.cloud.connection import connect
from labctl.cloud.nodes.drain import Stuck, plan_drain
from labctl.cloud.nodes.moving import MoveFailed, delete, disable, enable, finish_moves, move
from labctl.cloud.nodes.view import ComputeNode, fetch_nodes
from labctl.engine.lab_lock import lab_lock
from labctl.errors import BadInput, CloudCheckFailed, NotFound
from labctl.events import Emit, Note, step
from labctl.files import write_file
from labctl.lab.file import LabFile, dump_lab_file
from labctl.lab.names import nearest
from labctl.lab.state import LabState


def change_nodes(
    client: docker.DockerClient, folders: CatalogFolders, wanted: LabFile, emit: Emit, *, force: bool = False
) -> BroughtUp:
    """Gives a lab that is up other nodes: those that go are drained first, those that come are ready at the end.

    Args:
        client: The engine.
        folders: The catalog.
        wanted: The lab, with the nodes that it shall have.
        emit: Told about the steps.
        force: Delete the servers that cannot be moved.

    Raises:
        CloudCheckFailed: A node cannot be drained; nothing was removed.
        BringUpFailed: The lab did not become ready.
    """
    state = LabState(wanted.name)
    leaving = [name for name in saved_nodes(state) if name not in wanted.nodes]
    coming = [name for name in wanted.nodes if name not in saved_nodes(state)]
    if leaving:
        with lab_lock(client, wanted.name, emit):
            drain(admin_of(state), leaving, wanted.nodes, emit, force=force)
            write_file(state.lab_file, dump_lab_file(wanted).encode())
    result = bring_up(client, folders, wanted, emit)
    # What comes back may have left half: its compute service, disabled for the drain, was still there.
    for name in coming:
        enable(admin_of(state), name)
    return result


def drain_node(client: docker.DockerClient, wanted: LabFile, node: str, emit: Emit) -> None:
    """Moves all servers of a node to others and lets no new ones onto it.

    Raises:
        CloudCheckFailed: A server cannot be moved; which, and why, is the evidence.
    """
    with lab_lock(client, wanted.name, emit):
        others = tuple(name for name in wanted.nodes if name != node)
        drain(admin_of(LabState(wanted.name)), [node], others, emit)


def undo_drain(client: docker.DockerClient, lab: LabFile, node: str, emit: Emit) -> bool:
    """Lets new servers onto a node again.

    Returns:
        Whether it was out of service.
    """
    with lab_lock(client, lab.name, emit):
        return enable(admin_of(LabState(lab.name)), node)


def admin_of(state: LabState) -> Connection:
    """The lab's cloud, as its admin."""
    return connect(state.clouds_yaml, f"{state.name}-admin")


def known_node(lab: LabFile, name: str) -> str:
    """A node that the lab has.

    Raises:
        NotFound: It has none of that name.
    """
    if name not in lab.nodes:
        raise NotFound(
            f"The lab {lab.name!r} has no compute node {name!r}.",
            remedy=nearest(name, lab.nodes) or f"There are: {', '.join(lab.nodes)}.",
        )
    return name


def without(lab: LabFile, names: Sequence[str]) -> tuple[str, ...]:
    """The lab's nodes but for some.

    Raises:
        NotFound: It has no node of that name.
        BadInput: None would be left.
    """
    gone = {known_node(lab, name) for name in names}
    rest = tuple(name for name in lab.nodes if name not in gone)
    if not rest:
        raise BadInput(
            f"{', '.join(sorted(gone))} is all that the lab {lab.name!r} has.",
            remedy=f"`labctl down --name {lab.name}` removes the whole lab; `labctl node add` adds a node.",
        )
    return rest


def drain(
    admin: Connection, leaving: Sequence[str], staying: Sequence[str], emit: Emit, *, force: bool = False
) -> None:
    """Empties nodes.

    Raises:
        CloudCheckFailed: A server cannot be moved.
    """
    with step(emit, f"look for room for the servers of {', '.join(leaving)}") as evidence:
        nodes = fetch_nodes(admin, (*leaving, *staying))
        plan = plan_drain(nodes[: len(leaving)], nodes[len(leaving) :])
        evidence.text = f"{len(plan.moves)} can move, {len(plan.stuck)} cannot"
    if plan.stuck and not force:
        raise cannot(leaving, plan.stuck, "Nothing was changed.")
    for name in leaving:
        disable(admin, name)
        finish_moves(admin, name, emit)
    for name in leaving:
        # Again, with the servers that came before the node was disabled.
        while (node := fetch_nodes(admin, (name,))[0]).guests:
            empty(admin, node, fetch_nodes(admin, tuple(staying)), emit, force=force)


def empty(admin: Connection, node: ComputeNode, others: Sequence[ComputeNode], emit: Emit, *, force: bool) -> None:
    """Moves the servers that are on a node now; deletes those that cannot move, if they may be lost.

    Raises:
        CloudCheckFailed: A server cannot be moved.
    """
    plan = plan_drain([node], others)
    stuck = list(plan.stuck)
    for planned in plan.moves:
        try:
            move(admin, node.name, planned, emit)
        except MoveFailed as failed:
            stuck.append(failed.stuck)
    if stuck and not force:
        raise cannot([node.name], stuck, f"{node.name} stays disabled: `labctl node drain {node.name} --undo`.")
    for one in stuck:
        emit(Note(f"{one} It is deleted: --force.", "warning"))
        delete(admin, one.guest, emit)


def cannot(nodes: Sequence[str], stuck: Sequence[Stuck], state: str) -> CloudCheckFailed:
    """The error for servers that have nowhere to go."""
    return CloudCheckFailed(
        f"{', '.join(nodes)} cannot be drained: {len(stuck)} server(s) cannot move.",
        evidence=[str(one) for one in stuck],
        remedy=f"{state} Make room (`labctl node add`), or delete these servers; `--force` of `labctl node remove` and "
        "`labctl scale` deletes them.",
    )
