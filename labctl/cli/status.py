"""`labctl status` and `labctl list`."""

from typing import Annotated

import typer


def status(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show a lab's services and their states."""
    import json

    from labctl.cli.lookup import docker_engine, find_lab, lab_file
    from labctl.engine.containers import service_states

    state = find_lab(name)
    lab = lab_file(state)
    with docker_engine() as client:
        services = service_states(client, state.name)
    ready = bool(services) and all(service.is_ready for service in services.values())
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "name": state.name,
                    "nodes": len(lab.nodes),
                    "release": lab.release,
                    "address_range": str(lab.address_range),
                    "ready": ready,
                    "services": {
                        key: {"state": one.summary, "since": one.since, "source": one.source or None}
                        for key, one in services.items()
                    },
                }
            )
        )
        return
    typer.echo(
        f"lab {state.name!r}: release {lab.release}, {len(lab.nodes)} node(s), {lab.address_range}, {state.folder}"
    )
    width = max((len(key) for key in services), default=0)
    for key, one in services.items():
        source = f"  from {one.source}" if one.source else ""
        typer.echo(f"  {key:<{width}}  {one.summary:<10}  {one.since}{source}")
    typer.echo("ready" if ready else "not ready: `labctl up` finishes what is missing")


def list_() -> None:
    """List the labs on this machine."""
    from labctl.cli.lookup import docker_engine, lab_file
    from labctl.engine.containers import labs_on_engine, service_states
    from labctl.lab.state import LabState, known_labs

    with docker_engine() as client:
        names = sorted({lab.name for lab in known_labs()} | labs_on_engine(client))
        for name in names:
            services = service_states(client, name)
            healthy = sum(service.is_ready for service in services.values())
            state = LabState(name)
            where = f"{lab_file(state).address_range}" if state.exists else "no state folder"
            typer.echo(f"{name:<20}  {healthy}/{len(services)} services ready  {where}")
