"""A load of API calls that keeps book: what was made for sure, what failed, and so what must be there in the end."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import keystoneauth1.exceptions
import openstack.exceptions
from openstack.connection import Connection

from labctl.cloud.connection import connect

FAILURES = (openstack.exceptions.SDKException, keystoneauth1.exceptions.ClientException)
PREFIX = "load-"
# openstacksdk asks Keystone where a service is at the first mention of it: each of these may fail as a whole.
CALLS: dict[str, Callable[[Connection, str], Any]] = {
    "network": lambda cloud, name: cloud.network.create_network(name=name),
    "keypair": lambda cloud, name: cloud.compute.create_keypair(name=name),
    "image": lambda cloud, name: cloud.image.create_image(
        name, disk_format="raw", container_format="bare", allow_duplicates=True
    ),
}


class Load:
    """Makes networks, key pairs and images, one after the other, each with a name of its own.

    Args:
        clouds_yaml: The lab's.
        cloud: Which cloud of it.
    """

    def __init__(self, clouds_yaml: Path, cloud: str) -> None:
        self._connect = lambda: connect(clouds_yaml, cloud)
        self.made: dict[str, set[str]] = {kind: set() for kind in CALLS}
        self.failed: Counter[str] = Counter()
        self._end = threading.Event()

    def __enter__(self) -> "Load":
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        for number in itertools.count():
            # A connection of its own for each round: Keystone has work too.
            cloud = self._connect()
            for kind, make in CALLS.items():
                name = f"{PREFIX}{number}"
                try:
                    make(cloud, name)
                except FAILURES:
                    self.failed[kind] += 1
                else:
                    self.made[kind].add(name)
            cloud.session.session.close()
            cloud.close()
            if self._end.is_set():
                return

    def faults(self) -> list[str]:
        """What is lost, or is there twice; a call that failed may have done its work or not."""
        cloud = self._connect()
        seen = {
            "network": Counter(one.name for one in cloud.network.networks()),
            "keypair": Counter(one.name for one in cloud.compute.keypairs()),
            "image": Counter(one.name for one in cloud.image.images()),
        }
        cloud.session.session.close()
        cloud.close()
        lost = [f"{kind} {name} is lost" for kind, names in self.made.items() for name in names if not seen[kind][name]]
        doubled = [
            f"{kind} {name} is there {count} times"
            for kind, names in seen.items()
            for name, count in names.items()
            if name.startswith(PREFIX) and count > 1
        ]
        return lost + doubled
