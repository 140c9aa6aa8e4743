"""`labctl logs` and `labctl exec`: what Compose does, for people who do not want to know the project's folder."""

from typing import TYPE_CHECKING, Annotated

import typer

from labctl.errors import NotFound
from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.engine.containers import ServiceState


def logs(
    service: Annotated[str, typer.Argument(help="A service, as `labctl status` lists them.")],
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as the log grows.")] = False,
    tail: Annotated[str, typer.Option("--tail", help="So many last lines.")] = "all",
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
) -> None:
    """Show the log of a service."""
    from labctl.engine.process import stream

    options = ["--tail", tail, *(["--follow"] if follow else [])]
    command = ["docker", "logs", *options, service_of(name, service).container]
    raise typer.Exit(stream(command, say, on_error_line=lambda line: say(line, err=True)))


def exec_(
    service: Annotated[str, typer.Argument(help="A service, as `labctl status` lists them.")],
    command: Annotated[list[str] | None, typer.Argument(help="What to run; default: a shell.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
) -> None:
    """Run a command in the container of a service; for a service of a node, in the node's network namespace."""
    import sys

    from labctl.engine.process import interactive

    terminal = ["--interactive", *(["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else [])]
    state = service_of(name, service, to_change=True)
    enter = ["in-node"] if state.node else []
    raise typer.Exit(interactive(["docker", "exec", *terminal, state.container, *enter, *(command or ["bash"])]))


def service_of(name: str | None, service: str, *, to_change: bool = False) -> "ServiceState":
    """A service of a lab, as it is now.

    Raises:
        NotFound: There is no such lab or service.
        NotYours: It may change, and is another user's.
    """
    from labctl.cli.lookup import docker_engine, find_lab
    from labctl.engine.containers import service_states
    from labctl.engine.lab_lock import refuse_others
    from labctl.lab.names import nearest

    state = find_lab(name)
    with docker_engine() as client:
        if to_change:
            refuse_others(client, state.name)
        services = service_states(client, state.name)
    if service not in services:
        raise NotFound(
            f"The lab {state.name!r} has no service {service!r}.",
            evidence=[", ".join(services) or "none of its containers is there"],
            remedy=nearest(service, services),
        )
    return services[service]
