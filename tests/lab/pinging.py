"""Pings an address from the host, ten times a second, and tells how long it did not answer."""

import re
import subprocess
import threading
from itertools import pairwise
from types import TracebackType

from labctl.cloud.waiting import Pending, wait_until

INTERVAL = 0.1
WAIT_SECONDS = 120.0
"""Longer than the kernel of a router believes an ARP entry (arp(7)): how long it took is a figure, not an error."""
REPLY = re.compile(r"\[([\d.]+)\] .*icmp_seq=\d+ .*time=")


class Pinging:
    """An endless ping in a container: a user may lack both the command and ICMP sockets.

    Args:
        lab: Whose container it is.
        image: An image with ping.
        address: Where to.
    """

    def __init__(self, lab: str, image: str, address: str) -> None:
        self.name = f"{lab}-test-ping"
        self.replies: list[float] = []
        self._command = [
            *("docker", "run", "--rm", "--name", self.name, "--label", f"org.labctl.lab={lab}", "--network", "host"),
            *("--user", "0", image, "ping", "-n", "-D", "-i", str(INTERVAL), address),
        ]

    def __enter__(self) -> "Pinging":
        self._running = subprocess.Popen(self._command, stdout=subprocess.PIPE, text=True)
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        try:
            self.answers(10)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        subprocess.run(["docker", "rm", "--force", self.name], capture_output=True, check=False)
        self._thread.join()
        self._running.wait()
        assert self._running.stdout
        self._running.stdout.close()

    def _read(self) -> None:
        assert self._running.stdout
        for line in self._running.stdout:
            if found := REPLY.match(line):
                self.replies.append(float(found.group(1)))

    def answers(self, count: int) -> None:
        """Waits for so many replies from now on."""
        target = len(self.replies) + count

        def enough() -> bool | Pending:
            return len(self.replies) >= target or Pending(f"{len(self.replies)} replies")

        wait_until(enough, f"{target} replies to pings", WAIT_SECONDS, INTERVAL)

    def longest_silence(self, since: float) -> float:
        """The longest time without a reply, in seconds, beyond what lies between two pings anyway."""
        times = [at for at in self.replies if at >= since - 1]
        return max(after - before for before, after in pairwise(times)) - INTERVAL
