"""Compose, the bring-up engine: it brings services up in the order of their dependencies.

Labs are taken down by their labels instead (`labctl.bringup.down`), which needs no file.
"""

from collections.abc import Callable
from pathlib import Path

from labctl.engine.process import stream


def up(project: str, file: Path, on_line: Callable[[str], None]) -> int:
    """Makes the project's containers what its file says; returns when the last one that others wait for is healthy.

    Returns:
        Compose's exit code; its reasons went to `on_line`.
    """
    command = ["docker", "compose", "--progress", "plain", "--project-name", project, "--file", str(file)]
    return stream([*command, "up", "--detach", "--no-build", "--remove-orphans"], on_line)
