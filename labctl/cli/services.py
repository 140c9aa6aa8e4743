"""`labctl logs` and `labctl exec`: what Compose does, for people who do not want to know the project's folder."""

from typing import Annotated

import typer

from labctl.errors import NotFound


def logs(
    service: Annotated[str, typer.Argument(help="A service, as `labctl status` lists them.")],
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on as the log grows.")] = False,
    tail: Annotated[str, typer.Option("--tail", help="So many last lines.")] = "all",
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
) -> None:
    """Show the log of a service."""
    from labctl.engine.process import interactive

    options = ["--tail", tail, *(["--follow"] if follow else [])]
    raise typer.Exit(interactive(["docker", "logs", *options, container_of(name, service)]))


def exec_(
    service: Annotated[str, typer.Argument(help="A service, as `labctl status` lists them.")],
    command: Annotated[list[str] | None, typer.Argument(help="What to run; default: a shell.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
) -> None:
    """Run a command in the container of a service."""
    import sys

    from labctl.engine.process import interactive

    terminal = ["--interactive", *(["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else [])]
    container = container_of(name, service)
    raise typer.Exit(interactive(["docker", "exec", *terminal, container, *(command or ["bash"])]))


def container_of(name: str | None, service: str) -> str:
    """The id of a service's container.

    Raises:
        NotFound: There is no such lab or service.
    """
    from labctl.cli.lookup import docker_engine, find_lab
    from labctl.engine.containers import service_states
    from labctl.lab.names import nearest

    state = find_lab(name)
    with docker_engine() as client:
        services = service_states(client, state.name)
    if service not in services:
        raise NotFound(
            f"The lab {state.name!r} has no service {service!r}.",
            evidence=[", ".join(services) or "none of its containers is there"],
            remedy=nearest(service, services),
        )
    return services[service].container
