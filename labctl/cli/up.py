"""`labctl up`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui import Progress
from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.bringup.up import BroughtUp
    from labctl.lab.file import LabFile


def up(
    nodes: Annotated[int | None, typer.Option("--nodes", help="Compute nodes, 1 to 64.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The lab's name; default: lab.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A lab file.")] = None,
    guest: Annotated[str | None, typer.Option("--guest", help="A guest image: path or URL (CirrOS, ...).")] = None,
    guest_sha256: Annotated[str | None, typer.Option("--guest-sha256", help="Its checksum; http needs one.")] = None,
    with_: Annotated[
        str | None, typer.Option("--with", help="Profiles that it shall have besides: NAME,...", metavar="PROFILES")
    ] = None,
    without: Annotated[
        str | None, typer.Option("--without", help="Profiles that it shall have no more.", metavar="PROFILES")
    ] = None,
    tls: Annotated[
        bool | None,
        typer.Option("--tls/--no-tls", help="Whether all that crosses TCP is encrypted.", show_default=False),
    ] = None,
    wait_timeout: Annotated[int | None, typer.Option("--wait-timeout", help="Seconds until it must be ready.")] = None,
    adopt: Annotated[bool, typer.Option("--adopt", help="Remove another user's lab of that name first.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")] = False,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Bring a lab up, or finish what is missing of it; returns when its cloud is usable."""
    from labctl.bringup.up import bring_up, propose
    from labctl.catalog.folders import catalog_folders
    from labctl.catalog.profile import load_profiles
    from labctl.cli.lookup import docker_engine
    from labctl.engine.lab_lock import other_owner, refuse_others
    from labctl.events import Note
    from labctl.lab.profiles import listed, with_profiles
    from labctl.snapshot.checkpoint import take_checkpoint
    from labctl.ui import listener
    from labctl.ui.plan import plan_text

    wanted = wanted_lab(
        name, file, nodes=nodes, guest=guest, guest_sha256=guest_sha256, tls=tls, wait_timeout=wait_timeout
    )
    wanted = with_profiles(wanted, load_profiles(catalog_folders()), more=listed(with_), fewer=listed(without))
    if dry_run:
        as_json = progress is Progress.JSON
        # The plan is what was asked for, so it goes to standard output.
        with docker_engine() as client, listener(progress, sys.stdout if as_json else sys.stderr) as emit:
            refuse_others(client, wanted.name, adopt=adopt)
            plan = propose(client, catalog_folders(), wanted, emit, may_probe=False).event
            if owner := other_owner(client, wanted.name):
                emit(Note(f"{owner}'s lab {wanted.name!r} is removed, with its data, and a new one made in its place."))
                return
            if as_json:
                emit(plan)
                return
        say(plan_text(plan, every_step=True))
        return
    with docker_engine() as client, listener(progress, sys.stderr) as emit:
        result = bring_up(client, catalog_folders(), wanted, emit, adopt=adopt)
        if result.is_new:
            take_checkpoint(client, result, emit)
    if progress is not Progress.JSON:
        say(summary(result), err=True)


def wanted_lab(name: str | None, file: Path | None, **flags: object) -> "LabFile":
    """What is asked for: flags over the lab file, over what the lab is already, over defaults.

    Raises:
        BadInput: A flag or the file is wrong.
    """
    from labctl.catalog.folders import catalog_folders
    from labctl.catalog.release import load_release
    from labctl.cli.lookup import config_services, lab_file
    from labctl.lab.file import LabFile, load_lab_file, with_values
    from labctl.lab.guests import is_address
    from labctl.lab.names import parse_lab_name
    from labctl.lab.nodes import with_count
    from labctl.lab.state import LabState

    if file:
        start = load_lab_file(file, config_services())
    else:
        state = LabState(parse_lab_name(name or "lab"))
        start = lab_file(state) if state.exists else LabFile(name=state.name)
    given = {key: value for key, value in {"name": name, **flags}.items() if value is not None}
    if "guest" in given and not is_address(str(given["guest"])):
        given["guest"] = str(existing_file(Path(str(given["guest"]))))
    if isinstance(count := given.get("nodes"), int):
        given["nodes"] = with_count(start.nodes, count)
    if "guest" in given and "guest_sha256" not in given:
        given["guest_sha256"] = None  # it is another image's
    wanted = with_values(start, **given)
    refuse_guest(wanted)
    if file and LabState(wanted.name).exists:
        before = lab_file(LabState(wanted.name))
        if "sources" not in start.model_fields_set:
            wanted = with_values(wanted, sources=before.sources)
        if "profiles" not in start.model_fields_set:
            wanted = with_values(wanted, **{"with": before.profiles})
    load_release(catalog_folders(), wanted.release)
    return wanted


def refuse_guest(lab: "LabFile") -> None:
    """Refuses an address that no guest image is fetched from.

    Raises:
        BadInput: The lab names one.
    """
    from labctl.errors import BadInput
    from labctl.lab.guests import guest_refusal, is_address

    why = guest_refusal(lab.guest, lab.guest_sha256) if lab.guest and is_address(lab.guest) else ""
    if why:
        raise BadInput(f"The guest image {str(lab.guest)[:100]} cannot be taken.", evidence=[why])


def existing_file(path: Path) -> Path:
    """The file's absolute path.

    Raises:
        BadInput: It is not there.
    """
    from labctl.errors import BadInput
    from labctl.files import is_file

    if not is_file(path):
        raise BadInput(
            f"There is no guest image {str(path)[:200]}.", remedy="Give a file, or an address with https://."
        )
    return path.resolve()


def summary(result: "BroughtUp") -> str:
    """What a person wants to know of a lab that is ready: how long it took and why, and what to do next."""
    from labctl.ui.timeline import Span, draw_timeline

    spans = [
        Span(service, seen.started, seen.ready or result.ready, result.depends_on.get(service, ()))
        for service, seen in result.observed.items()
        if service in result.depends_on  # others were there, and have left
    ]
    name = result.lab.name
    lines = []
    if spans:
        last = max(span.end for span in spans)
        spans.append(Span("cloud usable", last, max(last, result.ready), tuple(span.name for span in spans)))
        lines += [draw_timeline(spans, 100), ""]
    option = "" if name == "lab" else f" --name {name}"
    lines += [
        f"The lab {name!r} is ready after {result.seconds:.1f} s: {len(result.lab.nodes)} node(s), "
        f"Keystone at {result.prepared.plan.endpoint(5000, '/v3')}",
        *from_source(result),
        *(f"  {page:<35} {service}, for your browser" for service, page in result.pages.items()),
        f"  labctl demo{option}                     boots a server, logs in to it, shows its console",
        f"  labctl openstack{option} server list    the openstack client",
        f"  eval $(labctl openrc{option})           for clients of your own",
        f"  labctl down{option}                     removes all of it",
    ]
    return "\n".join(lines)


def from_source(result: "BroughtUp") -> list[str]:
    """The services that do not run what their image holds, a line for each source tree."""
    sources = result.prepared.plan.sources
    trees = sorted({tree.path for tree in sources.values()})
    return [
        f"  from {path}: {', '.join(sorted(service for service, tree in sources.items() if tree.path == path))}"
        for path in trees
    ]
