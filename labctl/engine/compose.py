"""Compose, the bring-up engine: it brings services up in the order of their dependencies, and takes them down."""

from collections.abc import Callable, Sequence
from pathlib import Path

from labctl.engine.process import Completed, run, stream


def compose(project: str, file: Path, *arguments: str) -> list[str]:
    """The command line of a Compose command on a project."""
    return ["docker", "compose", "--project-name", project, "--file", str(file), *arguments]


def up(project: str, file: Path, on_line: Callable[[str], None], services: Sequence[str] = ()) -> int:
    """Makes the project's containers what its file says; returns when the last one that others wait for is healthy.

    Returns:
        Compose's exit code; its reasons went to `on_line`.
    """
    arguments = ("--progress", "plain")
    command = ["docker", "compose", *arguments, "--project-name", project, "--file", str(file)]
    return stream([*command, "up", "--detach", "--no-build", "--remove-orphans", *services], on_line)


def down(project: str, file: Path, *, volumes: bool) -> Completed:
    """Removes the project's containers and networks, and its volumes where asked to."""
    extra = ["--volumes"] if volumes else []
    return run(compose(project, file, "down", "--remove-orphans", "--timeout", "5", *extra))
