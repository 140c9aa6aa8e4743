"""A machine that can be switched off: namespaces of its own for processes, network and mounts, and an engine in them.

To pull its plug is to kill its first process: the kernel then kills all the others, engine, containers and guests, and
takes bridges, namespaces and mounts away, as a reboot does. What is on the disk stays: the engine's data, and labctl's
state. The tests' own engine, and whatever runs on it, never notices.
"""

import os
import subprocess
from pathlib import Path

from pyroute2 import netns

from labctl.cloud.waiting import Pending, wait_until
from tests.lab.commands import execute

BOOT = Path(__file__).with_name("boot.sh")
BOOT_SECONDS = 60.0
HERE = "/proc/self/ns/net"


class Machine:
    """A machine in namespaces; needs root.

    Args:
        folder: Its disk.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "docker.sock"
        self.first = 0
        self._outside = os.open(HERE, os.O_RDONLY)

    def boot(self, volumes_size: str = "") -> None:
        """Switches it on, waits for its engine, and moves this process into its network.

        What this process starts from now on, labctl and docker too, is on that machine; only the file system and the
        processes are those outside.

        Args:
            volumes_size: As tmpfs takes it: the engine's volumes are on a disk of that size, and gone with the power.
        """
        command = ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "sh", str(BOOT)]
        with (self.folder / "engine.log").open("ab") as log:
            self._running = subprocess.Popen(
                [*command, str(self.folder / "data"), str(self.socket)],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "VOLUMES_SIZE": volumes_size},
            )
        os.environ["DOCKER_HOST"] = f"unix://{self.socket}"

        def answers() -> bool | Pending:
            last_lines = (self.folder / "engine.log").read_text().splitlines()[-10:]
            assert self._running.poll() is None, "\n".join(["the engine ended:", *last_lines])
            asked = execute(["docker", "version", "--format", "{{.Server.Version}}"])
            return asked.code == 0 or Pending(asked.err.strip())

        wait_until(answers, "the machine's engine to answer", BOOT_SECONDS, 0.2)
        children = Path(f"/proc/{self._running.pid}/task/{self._running.pid}/children").read_text()
        self.first = int(children.split()[0])
        with Path(f"/proc/{self.first}/ns/net").open("rb") as inside:
            netns.setns(inside.fileno())

    def pull_the_plug(self) -> None:
        """Switches it off, as hard as it goes, and brings this process back."""
        netns.setns(self._outside)
        self._running.kill()
        self._running.wait()
        del os.environ["DOCKER_HOST"]

        def dead() -> bool | Pending:
            return not Path(f"/proc/{self.first}").exists() or Pending("its first process is there")

        wait_until(dead, "the machine to be off", BOOT_SECONDS, 0.1)

    def reboot(self, volumes_size: str = "") -> None:
        """Loses its power, and is switched on again."""
        self.pull_the_plug()
        self.boot(volumes_size)

    def inside(self, path: Path) -> Path:
        """A path as the machine itself sees it, its own mounts too."""
        return Path(f"/proc/{self.first}/root", *path.parts[1:])

    def kill(self, process: int) -> None:
        """Sends SIGKILL to a process by the number that the machine knows it by."""
        inside = ["nsenter", "--target", str(self.first), "--mount", "--pid", "--"]
        killed = execute([*inside, "kill", "-KILL", str(process)])
        assert killed.code == 0, str(killed)
