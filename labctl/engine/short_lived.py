"""The containers that labctl runs itself, beside a lab's services: each is gone when its program has ended."""

from labctl.lab import limits


def docker_run(*options: str) -> list[str]:
    """The beginning of the command that runs one, limited as services are.

    Args:
        options: More options of `docker run`.
    """
    return ["docker", "run", "--rm", "--memory", limits.MEMORY, "--pids-limit", str(limits.PROCESSES), *options]
