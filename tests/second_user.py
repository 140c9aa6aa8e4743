"""A second user of the engine on this machine: nobody, with the group of the engine's socket."""

import os
from pathlib import Path

import pytest

from tests.lab.commands import LABCTL, Ran, execute

UID = 65534
NAME = "nobody"
SOCKET = Path("/var/run/docker.sock")

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


class SecondUser:
    """Runs programs as that user, with state and caches of his own.

    Args:
        home: A folder for him; all folders above it may be entered by everyone.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir(parents=True)
        os.chown(home, UID, UID)

    @classmethod
    def below(cls, folders: pytest.TempPathFactory) -> "SecondUser":
        """One whose home is in pytest's folder, which only the tests' user may enter until then."""
        home = folders.mktemp("second")
        for folder in (folders.getbasetemp().parent, folders.getbasetemp(), home):
            folder.chmod(0o711)
        return cls(home / "home")

    @property
    def command(self) -> list[str]:
        """What a program is started with to be his. He may look into every folder: root's Python is in root's."""
        group = SOCKET.stat().st_gid
        capability = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")
        return ["setpriv", f"--reuid={UID}", f"--regid={UID}", f"--groups={group}", *capability, "--"]

    @property
    def environment(self) -> dict[str, str]:
        """His environment."""
        folders = {f"XDG_{kind}_HOME": str(self.home / kind.lower()) for kind in ("STATE", "CACHE", "CONFIG")}
        return {**os.environ, **folders, "HOME": str(self.home)}

    def labctl(self, *arguments: str, timeout: float = 120) -> Ran:
        """Runs labctl."""
        command = [*self.command, str(LABCTL), *arguments]
        return execute(command, env=self.environment, cwd=Path("/"), timeout=timeout)
