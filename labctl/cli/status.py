"""`labctl status` and `labctl list`."""

from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.bringup.labs import LabSeen


HEADINGS = ("lab", "nodes", "release", "range", "with", "state", "services ready", "owner")


def status(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show a lab's services and their states."""
    import json

    from labctl.cli.lookup import docker_engine, find_lab, lab_file
    from labctl.engine.containers import service_states
    from labctl.engine.lab_lock import other_owner

    state = find_lab(name)
    lab = lab_file(state)
    with docker_engine() as client:
        services = service_states(client, state.name)
        owner = other_owner(client, state.name)
    stopped = bool(services) and all(service.is_stopped for service in services.values())
    ready = bool(services) and not stopped and all(service.is_ready for service in services.values())
    if as_json:
        say(
            json.dumps(
                {
                    "name": state.name,
                    "nodes": len(lab.nodes),
                    "release": lab.release,
                    "profiles": lab.profiles,
                    "address_range": str(lab.address_range),
                    "ready": ready,
                    "stopped": stopped,
                    "owner": owner and str(owner),
                    "services": {
                        key: {
                            "state": one.summary,
                            "since": one.since,
                            "source": one.source or None,
                            "page": one.page or None,
                        }
                        for key, one in services.items()
                    },
                }
            )
        )
        return
    besides = f", with {', '.join(lab.profiles)}" if lab.profiles else ""
    say(
        f"lab {state.name!r}: release {lab.release}, {len(lab.nodes)} node(s){besides}, {lab.address_range}, "
        f"{state.folder}"
    )
    if owner:
        say(f"The one on the engine belongs to another user: {owner}")
    width = max((len(key) for key in services), default=0)
    for key, one in services.items():
        source = f"  from {one.source}" if one.source else ""
        page = f"  {one.page}" if one.page else ""
        say(f"  {key:<{width}}  {'stopped' if stopped else one.summary:<10}  {one.since}{source}{page}")
    if stopped:
        say(f"stopped: `labctl start --name {state.name}` brings it back")
    else:
        say("ready" if ready else "not ready: `labctl up` finishes what is missing")


def list_(as_json: Annotated[bool, typer.Option("--json", help="As a JSON list.")] = False) -> None:
    """List the labs on this machine."""
    import json

    from labctl.bringup.labs import all_labs
    from labctl.cli.lookup import docker_engine, lab_file
    from labctl.ui.table import table

    with docker_engine() as client:
        labs = all_labs(client, lab_file)
    if as_json:
        say(json.dumps([as_object(lab) for lab in labs]))
    elif labs:
        say(table([HEADINGS, *(as_row(lab) for lab in labs)]))
    else:
        say("There is no lab; `labctl up` makes one.", err=True)


def as_row(lab: "LabSeen") -> tuple[str, ...]:
    """A lab as a line of the table."""
    known = lab.lab
    said = ("-", "-", "-", "-")
    if known:
        said = (
            str(len(known.nodes)),
            known.release,
            str(known.address_range or "-"),
            ", ".join(known.profiles) or "-",
        )
    owner = str(lab.other_owner or "-")
    return (lab.name, *said, str(lab.condition), f"{lab.ready}/{lab.services}", owner)


def as_object(lab: "LabSeen") -> dict[str, object]:
    """A lab as JSON; null where its file says nothing."""
    known = lab.lab
    return {
        "name": lab.name,
        "nodes": known and len(known.nodes),
        "release": known and known.release,
        "profiles": known and known.profiles,
        "address_range": known and known.address_range and str(known.address_range),
        "state": str(lab.condition),
        "owner": lab.other_owner and str(lab.other_owner),
        "services": lab.services,
        "services_ready": lab.ready,
        "sources": known and {name: str(path) for name, path in known.sources.items()},
    }
