"""Compose, the bring-up engine: it brings services up in the order of their dependencies.

Labs are taken down by their labels instead (`labctl.bringup.down`), which needs no file.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from labctl.engine.process import stream


def up(project: str, file: Path, on_line: Callable[[str], None], only: Collection[str] = ()) -> int:
    """Makes the project's containers what its file says; returns when the last one that others wait for is healthy.

    Args:
        project: The project.
        file: Its file.
        on_line: Told what Compose says.
        only: These services and no others. Otherwise Compose makes those that depend on a changed one anew as well.

    Returns:
        Compose's exit code; its reasons went to `on_line`.
    """
    command = ["docker", "compose", "--progress", "plain", "--project-name", project, "--file", str(file)]
    which = ["--no-deps", *sorted(only)] if only else ["--remove-orphans"]
    return stream([*command, "up", "--detach", "--no-build", *which], on_line)
