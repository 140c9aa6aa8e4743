"""Logs that are followed across restarts."""

import queue
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest
from docker.errors import NotFound

from labctl.engine import logs
from labctl.engine.logs import followed, read_since

BEGIN = datetime(2024, 10, 2, 12, 0, 0, tzinfo=UTC)


class Stream:
    """One run of a container: chunks, and then the end, or nothing more until it is closed."""

    def __init__(self, chunks: list[bytes], stays: bool) -> None:
        self._chunks = chunks
        self._closed = threading.Event()
        self._stays = stays

    def __iter__(self) -> Iterator[bytes]:
        yield from self._chunks
        if self._stays:
            assert self._closed.wait(30)

    def close(self) -> None:
        self._closed.set()


class FakeEngine:
    """Gives the runs of a container one after the other; an exception stands for a container that is not there."""

    def __init__(self, *runs: Stream | Exception) -> None:
        self._runs = list(runs)
        self.since: list[int] = []

    @property
    def api(self) -> "FakeEngine":
        return self

    def logs(self, container: str, *, since: int, **_: object) -> Stream:
        self.since.append(since)
        run = self._runs.pop(0)
        if isinstance(run, Exception):
            raise run
        return run


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "INTERVAL", 0.0)


def lines(count: int, *runs: Stream | Exception) -> tuple[list[str], FakeEngine]:
    engine, said = FakeEngine(*runs), queue.Queue[str]()
    with followed(cast(docker.DockerClient, engine), ["x"], BEGIN, lambda name, line: said.put(line)):
        found = [said.get(timeout=30) for _ in range(count)]
    assert said.empty()
    return found, engine


def at(second: int, text: str) -> bytes:
    return f"2024-10-02T12:00:{second:02}.000000001Z {text}\n".encode()


def test_lines_are_told_however_they_are_cut() -> None:
    whole = at(1, "one") + at(2, "two")
    found, engine = lines(2, Stream([whole[:40], whole[40:]], stays=True))
    assert found == ["one", "two"]
    assert engine.since == [int(BEGIN.timestamp())]


def test_a_restart_goes_on_and_tells_nothing_twice() -> None:
    found, engine = lines(3, Stream([at(1, "a"), at(2, "b")], False), Stream([at(2, "b"), at(3, "c")], True))
    assert found == ["a", "b", "c"]
    assert engine.since[1] == int(BEGIN.timestamp()) + 2


def test_a_container_that_is_made_anew_is_waited_for() -> None:
    gone: Any = NotFound("gone")
    assert lines(2, Stream([at(1, "a")], False), gone, Stream([at(5, "b")], True))[0] == ["a", "b"]


def test_what_was_before_is_not_told() -> None:
    old = b"2024-10-02T11:59:59.900000000Z old\n"
    assert lines(1, Stream([old, at(0, "new")], True))[0] == ["new"]


def test_what_was_logged_is_read_to_its_end_and_no_further() -> None:
    """docker-py follows whatever is streamed, unless it is told not to."""

    class Api:
        def logs(self, container: str, **options: Any) -> Iterator[bytes]:
            assert options["follow"] is False
            yield f"2026-01-01T00:00:00.000000000Z {container} says\n2026-01-01T00:00:01Z a".encode()
            yield b"nd goes on\n"

    client: Any = SimpleNamespace(api=Api())
    lines = list(read_since(client, {"lab-x": "x", "lab-y": "y"}, 0.0))
    assert [(line.service, line.text) for line in lines] == [
        ("x", "lab-x says"),
        ("x", "and goes on"),
        ("y", "lab-y says"),
        ("y", "and goes on"),
    ]
