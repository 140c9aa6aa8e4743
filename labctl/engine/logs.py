"""Following the logs of containers across their restarts."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final

import docker
from docker.errors import APIError, NotFound

from labctl.service_logs import LoggedLine

INTERVAL: Final = 0.3
"""Seconds until a container that does not run is asked for its log again: a followed log ends with each run."""

OnLine = Callable[[str, str], None]
"""Takes a container's name and one line of its log, in a thread of its own."""


@contextmanager
def followed(client: docker.DockerClient, names: Iterable[str], since: datetime, on_line: OnLine) -> Iterator[None]:
    """Hands on what containers log while the body runs, also when they restart or are made anew.

    Args:
        client: The engine.
        names: The containers' names.
        since: From when on, in UTC.
        on_line: Told each line.
    """
    followers = [_Follower(client, name, since, on_line) for name in names]
    for follower in followers:
        follower.start()
    try:
        yield
    finally:
        for follower in followers:
            follower.end()


def read_since(client: docker.DockerClient, names: Mapping[str, str], since: float) -> Iterator[LoggedLine]:
    """Reads what containers have logged since a time, one container after the other; also those that have ended.

    Args:
        client: The engine.
        names: Container to the name of its service.
        since: Seconds since the epoch.
    """
    for container, name in names.items():
        with suppress(NotFound):
            chunks = client.api.logs(container, since=int(since), timestamps=True, stream=True, follow=False)
            for line in lines_of(chunks):
                at, _, said = line.partition(" ")
                yield LoggedLine(name, datetime.fromisoformat(at), said)


def lines_of(chunks: Iterable[bytes]) -> Iterator[str]:
    """The lines of a log that comes in pieces; at line feeds alone: the engine puts a time behind each."""
    pending = b""
    for chunk in chunks:
        *lines, pending = (pending + chunk).split(b"\n")
        for line in lines:
            yield line.decode(errors="replace")
    if pending:
        yield pending.decode(errors="replace")


class _Follower(threading.Thread):
    def __init__(self, client: docker.DockerClient, name: str, since: datetime, on_line: OnLine) -> None:
        super().__init__(name=f"log of {name}", daemon=True)
        self._client = client
        self._container = name
        self._since = since.strftime("%Y-%m-%dT%H:%M:%S.%f")
        self._on_line = on_line
        self._ended = threading.Event()
        self._stream: Any = None

    def run(self) -> None:
        while not self._ended.is_set():
            # Gone for a moment while it is made anew, or for good: what the lab is, others tell.
            with suppress(APIError):
                self._follow_once()
            self._ended.wait(INTERVAL)

    def end(self) -> None:
        self._ended.set()
        if self._stream is not None:
            self._stream.close()
        self.join()

    def _follow_once(self) -> None:
        since = datetime.fromisoformat(f"{self._since[:19]}+00:00").timestamp()
        self._stream = self._client.api.logs(
            self._container, stream=True, follow=True, timestamps=True, since=int(since)
        )
        if self._ended.is_set():  # meanwhile: nobody else would close it
            self._stream.close()
        for line in lines_of(self._stream):
            self._take(line)

    def _take(self, line: str) -> None:
        """Hands on a line, unless it was seen: `since` is in whole seconds, the engine's times are in nanoseconds."""
        at, _, text = line.partition(" ")
        if at > self._since:
            self._since = at
            self._on_line(self._container, text)
