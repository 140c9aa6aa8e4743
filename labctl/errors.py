"""The errors that a person sees: what failed, the evidence, what to do, and a stable exit code."""

from collections.abc import Sequence
from typing import ClassVar


class LabctlError(Exception):
    """A failure with a message for people; never shown with a traceback.

    Args:
        what: One sentence: what failed.
        evidence: The lines that show it (last log lines, a setting, a measured figure).
        remedy: What the reader can do about it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, evidence: Sequence[str] = (), remedy: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.evidence = tuple(evidence)
        self.remedy = remedy


class BadInput(LabctlError):  # noqa: N818 - read as a sentence: raise BadInput("...")
    """A command line, lab file or catalog file that cannot be taken as it is."""

    exit_code = 2


class EngineUnavailable(LabctlError):  # noqa: N818
    """No usable Docker engine: none there, too old, a plugin missing, no permission on its socket."""

    exit_code = 3


class MachineConflict(LabctlError):  # noqa: N818
    """The machine cannot take the lab: an address range or name is taken, memory or disk is short."""

    exit_code = 4


class BuildFailed(LabctlError):  # noqa: N818
    """An image, a base root filesystem or a lock could not be made."""

    exit_code = 5


class BringUpFailed(LabctlError):  # noqa: N818
    """A lab did not become ready: a service failed, or the wait ran out."""

    exit_code = 6


class CloudCheckFailed(LabctlError):  # noqa: N818
    """The cloud runs, and something that it must be able to do did not work."""

    exit_code = 7


class NotFound(LabctlError):  # noqa: N818
    """There is no lab, service or image of that name."""

    exit_code = 8


class EngineRefused(LabctlError):  # noqa: N818
    """The engine answers, and would not or could not do what it was asked: a full disk, something in the way."""

    exit_code = 10


class TestsFailed(LabctlError):  # noqa: N818
    """The cloud runs, and tests that were run against it failed."""

    exit_code = 11


class NotYours(LabctlError):  # noqa: N818
    """The lab belongs to another user of this machine."""

    exit_code = 13


class DatabaseUnreachable(LabctlError):  # noqa: N818
    """The database of vulnerabilities could not be asked: `labctl audit` says nothing of any package."""

    exit_code = 14


INTERRUPTED = 130
"""Exit code after Ctrl-C, the shell's own: 128 + SIGINT."""

PACKET_DIED = 12
"""Exit code of `labctl trace` where the packet or its answer did not get through."""

FINDINGS = 9
"""Exit code of `labctl doctor` where it found something that does not work."""

VULNERABLE = 15
"""Exit code of `labctl audit` where there is a fix for something."""
