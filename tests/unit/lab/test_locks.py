"""Locks: held by one process of the machine at a time, and gone with it."""

import os
import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from labctl.lab.locks import Holder, held, locked
from labctl.lab.owner import this_user

HOLDER = """
import sys
from labctl.lab.locks import locked
with locked(sys.argv[1], lambda holder: print("waits for", holder.process, flush=True)):
    print("held", flush=True)
    sys.stdin.readline()
"""


class Refused(Exception):  # noqa: N818
    """What a test's process raises instead of waiting."""


@pytest.fixture
def name() -> str:
    """A lock that nobody else on the machine takes, not even another run of these tests."""
    return f"test-{uuid.uuid4().hex}"


def is_held(name: str) -> bool:
    """Whether some process holds a lock; asks without waiting."""

    def refuse(_: Holder) -> None:
        raise Refused

    try:
        with locked(name, refuse):
            return False
    except Refused:
        return True


@contextmanager
def process(name: str) -> Iterator[subprocess.Popen[str]]:
    """A process that takes a lock and keeps it until it is told something."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as begun:
        yield begun
        begun.kill()


def said(begun: subprocess.Popen[str]) -> str:
    assert begun.stdout is not None
    return begun.stdout.readline().strip()


def test_a_lock_is_held_in_the_body_and_free_afterwards(name: str) -> None:
    with locked(name):
        assert is_held(name)
    assert not is_held(name)


def test_a_lock_is_free_after_an_error(name: str) -> None:
    with pytest.raises(RuntimeError), locked(name):
        raise RuntimeError
    assert not is_held(name)


def test_locks_of_two_things_do_not_hinder_each_other(name: str) -> None:
    with locked(name), locked(f"{name}-2"), locked(f"{name}-3"):
        assert is_held(name)
    assert not is_held(f"{name}-2")


def test_who_waits_is_told_for_whom(name: str) -> None:
    told: list[Holder] = []

    def refuse(holder: Holder) -> None:
        told.append(holder)
        raise Refused

    with locked(name), pytest.raises(Refused), locked(name, refuse):
        pass
    assert told == [Holder(os.getpid(), this_user())]


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_lock_dies_with_its_process_however_that_ends(name: str, ending: signal.Signals) -> None:
    with process(name) as holder:
        assert said(holder) == "held"
        assert is_held(name)
        holder.send_signal(ending)
        assert holder.wait(10) == -ending
        assert not is_held(name)


def test_all_that_wait_get_the_lock_one_after_the_other(name: str) -> None:
    with process(name) as first, process(name) as second, process(name) as third:
        # Whichever was first: the others say for whom they wait, and nothing more before it ends.
        processes = {each.pid: each for each in (first, second, third)}
        lines = {each.pid: said(each) for each in processes.values()}
        (holding,) = (pid for pid, line in lines.items() if line == "held")
        waiting = {pid for pid, line in lines.items() if line == f"waits for {holding}"}
        assert len(waiting) == 2
        processes[holding].kill()
        lines = {pid: said(processes[pid]) for pid in waiting}
        (next_one,) = (pid for pid, line in lines.items() if line == "held")
        (last,) = waiting - {next_one}
        assert lines[last] == f"waits for {next_one}"
        processes[next_one].communicate("\n", timeout=10)
        assert said(processes[last]) == "held"


def test_a_name_that_somebody_has_and_does_not_listen_on_is_waited_for(name: str) -> None:
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(f"\0labctl/lock/{name}")
        with process(name) as waiter:
            taken.close()
            assert said(waiter) == "held"


def test_what_is_held_can_be_seen(name: str) -> None:
    with locked(f"{name}-10.20.0.0/22"), locked(f"{name}-\x1b[2J a"):
        assert held(f"{name}-") == ("\x1b[2J a", "10.20.0.0/22")
    assert held(f"{name}-") == ()
