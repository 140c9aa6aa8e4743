"""`labctl fault list`, `inject` and `clear`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui.printable import say

if TYPE_CHECKING:
    import docker

    from labctl.fault.fault import Fault
    from labctl.fault.inject import Tools
    from labctl.fault.scene import Scene
    from labctl.lab.state import LabState

fault_app = typer.Typer(
    help="Break a running lab on purpose, and mend it again.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")]
NodeName = Annotated[str | None, typer.Option("--node", help="The node; else the first that the fault can be made in.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the steps; change nothing.")]

HEADINGS = ("fault", "made in", "named by", "what is wrong then", "now")


@fault_app.command("list")
def list_(name: Name = None, as_json: Annotated[bool, typer.Option("--json", help="As a JSON list.")] = False) -> None:
    """List the faults: where each is made, who must name it, and which the lab has."""
    import json

    from labctl.fault.faults import ALL
    from labctl.ui.table import table

    there = injected_in(name)
    if as_json:
        listed = [
            {
                "id": one.id,
                "title": one.title,
                "does": one.does,
                "where": one.where,
                "verdict": one.verdict,
                "injected": there.get(one.id, []),
            }
            for one in ALL
        ]
        say(json.dumps(listed))
        return
    rows = [
        (one.id, one.where.value, one.verdict, one.title, shown(there[one.id]) if one.id in there else "")
        for one in ALL
    ]
    say(table([HEADINGS, *rows]))


def shown(places: list[str]) -> str:
    """Where a lab has a fault."""
    nodes = ", ".join(place for place in places if place)
    return f"injected on {nodes}" if nodes else "injected"


def injected_in(name: str | None) -> dict[str, list[str]]:
    """The faults that a lab has, with their nodes; none where no lab is there or meant."""
    from labctl.cli.lookup import find_lab
    from labctl.fault.record import read_injected
    from labctl.lab.state import known_labs

    there: dict[str, list[str]] = {}
    if name is None and len(known_labs()) != 1:
        return there
    for one in read_injected(find_lab(name)):
        there.setdefault(one.id, []).append(one.node)
    return there


@fault_app.command()
def inject(
    fault: Annotated[str, typer.Argument(help="The fault, as `labctl fault list` calls it.", metavar="FAULT")],
    node: NodeName = None,
    name: Name = None,
    dry_run: DryRun = False,
) -> None:
    """Break the lab in one way."""
    from labctl.fault.faults import ALL
    from labctl.fault.inject import choose_fault
    from labctl.fault.inject import inject as work
    from labctl.lab.state import LabState

    wanted = choose_fault(ALL, fault)
    scene = scene_in(name, wanted, node)
    if dry_run:
        change = wanted.change(scene)
        say("\n".join(("inject:", *(f"  {step}" for step in change.inject))))
        say("\n".join(("clear:", *(f"  {step}" for step in change.clear))))
        return
    with changing(scene.lab) as client:
        refuse_if_down(client, scene.lab)
        for step in work(tools_of(LabState(scene.lab)), wanted, scene):
            say(str(step), err=True)
    say(f"{wanted.title}. `labctl fault clear {wanted.id}` mends it; {namer(wanted.verdict)} must name it.", err=True)


@contextmanager
def changing(lab: str) -> "Iterator[docker.DockerClient]":
    """Holds the lock of a lab that is going to be broken or mended.

    Raises:
        NotYours: It is another user's.
    """
    from labctl.cli.lookup import docker_engine
    from labctl.engine.lab_lock import lab_lock
    from labctl.ui import Progress, listener

    with docker_engine() as client, listener(Progress.PLAIN, sys.stderr) as emit, lab_lock(client, lab, emit):
        yield client


def refuse_if_down(client: "docker.DockerClient", lab: str) -> None:
    """Refuses a lab of which nothing runs.

    Raises:
        NotFound: It is one.
    """
    from labctl.engine.containers import service_states
    from labctl.errors import NotFound

    if not any(one.status == "running" for one in service_states(client, lab).values()):
        raise NotFound(f"The lab {lab!r} is not up.", remedy="`labctl up` brings it up.")


def namer(verdict: str) -> str:
    """The command that names a fault."""
    who, _, cause = verdict.rpartition(":")
    return f"`labctl {who or 'doctor'}` ({cause})"


@fault_app.command()
def clear(
    fault: Annotated[str | None, typer.Argument(help="The fault; all where none is named.", metavar="[FAULT]")] = None,
    node: NodeName = None,
    name: Name = None,
    dry_run: DryRun = False,
) -> None:
    """Mend what was broken; a lab that is not broken stays as it is."""
    from labctl.cli.lookup import find_lab
    from labctl.fault.faults import ALL
    from labctl.fault.inject import choose_fault
    from labctl.fault.inject import clear as work
    from labctl.fault.record import read_injected

    state = find_lab(name)
    if dry_run:
        if fault is not None:
            choose_fault(ALL, fault)
        for one in reversed(read_injected(state)):
            if fault in (None, one.id) and node in (None, one.node):
                say("\n".join((f"{one}:", *(f"  {step}" for step in one.clear))))
        return
    count = 0
    with changing(state.name):
        for one in work(tools_of(state), fault, node, ALL):
            say(f"{one} is cleared.", err=True)
            count += 1
    if not count:
        say("There is nothing to clear.", err=True)


def scene_in(name: str | None, wanted: "Fault", node: str | None) -> "Scene":
    """The lab as a fault sees it."""
    from labctl.cli.lookup import find_lab, lab_file
    from labctl.cloud.connection import connect
    from labctl.fault.inject import choose_node
    from labctl.fault.objects import Objects
    from labctl.fault.scene import Scene
    from labctl.lab.addresses import AddressPlan, broker_port

    state = find_lab(name)
    lab = lab_file(state)
    assert lab.address_range  # noqa: S101 - a lab that was brought up has one
    plan = AddressPlan(lab.address_range)
    nodes = plan.nodes(lab.nodes)
    objects = Objects(lambda: connect(state.clouds_yaml, f"{state.name}-admin"), plan.provider)
    return Scene(state.name, plan, choose_node(wanted, node, nodes), nodes, objects, broker_port(tls=lab.tls))


def tools_of(state: "LabState") -> "Tools":
    """What faults are made and mended with."""
    from labctl.cloud.connection import connect
    from labctl.fault.inject import Tools

    return Tools(state, lambda: connect(state.clouds_yaml, f"{state.name}-admin"))
