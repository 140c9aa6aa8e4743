"""Compose, the bring-up engine: it brings services up in the order of their dependencies.

Labs are taken down by their labels instead (`labctl.bringup.down`), which needs no file.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from labctl.engine.process import run, stream


def start(
    project: str,
    file: Path,
    services: Iterable[str],
    on_line: Callable[[str], None],
    *,
    wait: bool = False,
    is_over: Callable[[], bool] | None = None,
) -> int:
    """Makes and starts services in the order in which they wait for each other, and touches no other.

    A service that runs is left alone, whatever it was made from: what is to be made anew has been removed before.

    Args:
        project: The Compose project.
        file: Its file.
        services: The services; those that they wait for must be among them, or be ready.
        on_line: Told what Compose says.
        wait: Whether all of them shall be healthy at the end, also those that no other waits for.
        is_over: Asked twice a second whether there is nothing more to wait for. Compose itself waits without end for a
            service that the engine starts again and again.

    Returns:
        Compose's exit code, after the last one that others wait for is healthy; its reasons went to `on_line`.
    """
    command = ["docker", "compose", "--progress", "plain", "--project-name", project, "--file", str(file)]
    options = ["--detach", "--no-build", "--no-recreate", "--no-deps", *(["--wait"] if wait else [])]
    return stream([*command, "up", *options, *services], on_line, is_over=is_over)


def run_once(project: str, file: Path, service: str, command: Sequence[str], name: str, labels: Sequence[str]) -> None:
    """Runs a command in a new container like those of a service, which is removed at the end.

    Raises:
        CommandFailed: It failed.
    """
    begin = ["docker", "compose", "--progress", "quiet", "--project-name", project, "--file", str(file)]
    options = ["--rm", "--no-deps", "--no-TTY", "--name", name, *(f"--label={label}" for label in labels)]
    run([*begin, "run", *options, service, *command])


def execute(project: str, file: Path, service: str, command: Sequence[str]) -> None:
    """Runs a command as root in a service's container.

    Raises:
        CommandFailed: It failed.
    """
    begin = ["docker", "compose", "--project-name", project, "--file", str(file)]
    run([*begin, "exec", "--no-TTY", "--user", "0", service, *command])


def stop(project: str, file: Path, services: Iterable[str] = ()) -> None:
    """Stops services, those that wait for others first; all of them where none is named.

    Raises:
        CommandFailed: The engine refused.
    """
    command = ["docker", "compose", "--progress", "plain", "--project-name", project, "--file", str(file)]
    run([*command, "stop", *services])


@dataclass(frozen=True)
class Said:
    """What a line of Compose's tells.

    Attributes:
        kind: Container, Network or Volume.
        name: The engine's name of it.
        state: Creating, Created, Starting, Started, Waiting, Healthy ...
    """

    kind: str
    name: str
    state: str


_LINE = re.compile(r'\s*(Container|Network|Volume) "?([^\s"]+)"?\s+([A-Z][a-z]+)')


def understand(line: str) -> Said | None:
    """Reads a line of Compose's plain progress; None where it tells something else."""
    found = _LINE.match(line)
    return Said(*found.groups()) if found else None
