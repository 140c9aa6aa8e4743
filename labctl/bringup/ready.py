"""Waiting until a lab is ready: its services first, then its cloud; and the error for one that does not get there."""

import time
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import docker

from labctl.bringup.leftovers import finish_removals
from labctl.bringup.prepare import Prepared
from labctl.bringup.watch import Watch, wait
from labctl.engine.containers import last_log_lines, service_states, started_at
from labctl.errors import BringUpFailed
from labctl.events import Emit, Note, step
from labctl.lab.addresses import Node, Role
from labctl.lab.state import LabState

if TYPE_CHECKING:
    from labctl.cloud.readiness import Expected

LOG_LINES = 20
AGENTS = ("neutron-linuxbridge-agent", "neutron-l3-agent", "neutron-dhcp-agent", "neutron-metadata-agent")
"""The binaries of Neutron's agents."""


def wait_for_services(
    client: docker.DockerClient, watch: Watch, deadline: float, among: Collection[str] | None = None
) -> None:
    """Waits until every container is healthy, or those of the services that are named.

    Raises:
        BringUpFailed: One will not come up, or the wait ran out.
    """
    wait(lambda: bool(watch.stuck()) or not watch.waiting_for(among), max(0.0, deadline - time.monotonic()))
    if watch.stuck() or watch.waiting_for(among):
        raise failure(client, watch, watch.waiting_for())


def wait_for_cloud(
    client: docker.DockerClient, state: LabState, prepared: Prepared, watch: Watch, deadline: float, emit: Emit
) -> None:
    """Waits until the cloud can be used: computes up and mapped, inventories there, agents alive, no other node known.

    Raises:
        BringUpFailed: The wait ran out.
    """
    from labctl.cloud.connection import connect
    from labctl.cloud.readiness import CloudView, departed, drained, fetch_view, missing

    expected = since_start(client, state.name, expected_of(prepared.plan.nodes, state.services))
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
    finish_removals(client, admin, prepared.plan, departed(view, expected), emit)
    for node in drained(view, expected):
        emit(Note(f"No new server goes to {node}; `labctl node drain NODE --undo` changes that."))


def expected_of(nodes: Iterable[Node], services: Collection[str]) -> "Expected":
    """What the cloud of a lab with these nodes and services must have."""
    from labctl.cloud.readiness import Expected

    every = tuple(nodes)
    return Expected(
        nodes=tuple(node.name for node in every if node.role is Role.COMPUTE),
        agents={
            node.name: frozenset(binary for binary in AGENTS if service_of(node.name, binary) in services)
            for node in every
        },
    )


def since_start(client: docker.DockerClient, lab: str, expected: "Expected") -> "Expected":
    """The same, where only reports count that were made by what runs now."""
    from labctl.cloud.readiness import COMPUTE

    pairs = [(node, COMPUTE) for node in expected.nodes]
    pairs += [(host, binary) for host, binaries in expected.agents.items() for binary in binaries]
    states, started = service_states(client, lab), {}
    for host, binary in pairs:
        state = states.get(service_of(host, binary))
        if state and (began := started_at(client, state.container)):
            started[host, binary] = began
    return replace(expected, started=started)


def service_of(host: str, binary: str) -> str:
    """The lab's service that runs a binary of nova or Neutron on a node."""
    return f"{host}-{binary.removeprefix('neutron-')}"


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
