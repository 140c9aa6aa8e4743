"""What the engine refuses, and what becomes of it while it works, as an error for people."""

import requests
from docker.errors import APIError, DockerException

from labctl.errors import EngineRefused, EngineUnavailable, LabctlError

FULL = ("no space left on device", "disk quota exceeded")
"""As the kernel says it (errno(3): ENOSPC, EDQUOT), in whatever the engine wraps around."""

ROOM = (
    "Make room on the engine's disk (`df -h`, `docker system df`, `labctl prune`); the same labctl command goes on "
    "from here."
)
OTHERWISE = "Remove what is in its way; the same labctl command goes on from here."


def understood(error: Exception) -> LabctlError | None:
    """The error for people, of one that the engine's client raised; None for any other."""
    if isinstance(error, APIError):
        return refusal("The engine refused what labctl asked of it.", error)
    if isinstance(error, (requests.ConnectionError, requests.Timeout, DockerException)):
        return EngineUnavailable(
            "The Docker engine stopped answering.",
            evidence=[str(error)],
            remedy="`docker version` says whether it runs; the same labctl command goes on from here.",
        )
    return None


def refusal(what: str, error: APIError) -> EngineRefused:
    """A request that the engine answered with an error.

    Args:
        what: One sentence: what failed.
        error: The engine's answer.
    """
    said = str(error.explanation or error)
    full = any(words in said.lower() for words in FULL)
    return EngineRefused(what, evidence=[said], remedy=ROOM if full else OTHERWISE)
