"""The state folder: where everything is, which labs there are, and locks that die with their process."""

import fcntl
import select
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labctl.lab.state import LabState, cache_root, known_labs, locked, state_root

HOLDER = """
import sys
from labctl.lab.state import locked
with locked(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def is_held(name: str) -> bool:
    """Whether some process holds a lock; asks without waiting."""
    with (state_root() / "locks" / name).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def test_folders_are_where_the_environment_says(tmp_path: Path) -> None:
    assert state_root() == tmp_path / "state" / "labctl"
    assert cache_root() == tmp_path / "cache" / "labctl"
    state = LabState("two")
    assert state.project == "labctl-two"
    assert state.folder == tmp_path / "state" / "labctl" / "labs" / "two"
    for path in (state.lab_file, state.secrets, state.compose_file, state.clouds_yaml):
        assert path.is_relative_to(state.folder)
    assert state.compose_file.parent == state.clouds_yaml.parent == state.rendered
    assert state.rendered not in state.secrets.parents, "what is rendered is rewritten as a whole"


def test_a_lab_is_there_once_it_has_a_lab_file() -> None:
    assert known_labs() == ()
    for name in ("b", "a"):
        LabState(name).folder.mkdir(parents=True)
        assert not LabState(name).exists
        LabState(name).lab_file.write_text("")
        assert LabState(name).exists
    (state_root() / "labs" / "half").mkdir()
    assert known_labs() == (LabState("a"), LabState("b"))


def test_a_lock_is_held_in_the_body_and_free_afterwards() -> None:
    with locked("lab-x"):
        assert is_held("lab-x")
    assert not is_held("lab-x")


def test_a_lock_is_free_after_an_error() -> None:
    with pytest.raises(RuntimeError), locked("lab-x"):
        raise RuntimeError
    assert not is_held("lab-x")


def test_locks_of_two_things_do_not_hinder_each_other() -> None:
    with locked("lab-x"), locked("lab-y"), locked("addresses"):
        assert is_held("lab-x")
    assert not is_held("lab-y")


def test_the_folder_of_locks_is_for_this_user_alone() -> None:
    with locked("lab-x"):
        assert stat.S_IMODE((state_root() / "locks").stat().st_mode) == 0o700


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_a_lock_dies_with_its_process_however_that_ends(ending: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, "lab-x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert is_held("lab-x")
        process.send_signal(ending)
        assert process.wait(10) == -ending
        assert not is_held("lab-x")
        with locked("lab-x"):
            pass


def is_waiting(process: subprocess.Popen[str]) -> bool:
    """Whether a process waits for a lock that another one holds (proc_locks(5))."""
    return any(
        "->" in line.split() and str(process.pid) in line.split()
        for line in Path("/proc/locks").read_text().splitlines()
    )


def test_another_process_waits_until_the_lock_is_free() -> None:
    with locked("lab-x"):
        waiter = subprocess.Popen(
            [sys.executable, "-c", HOLDER, "lab-x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 10
        while not is_waiting(waiter):
            told, _, _ = select.select([waiter.stdout], [], [], 0.05)
            assert not told, "it has the lock too"
            assert time.monotonic() < deadline
    out, _ = waiter.communicate("\n", timeout=10)
    assert out == "held\n"
    assert waiter.returncode == 0
