"""Starting and stopping a dockerd, with a script in its place; the real one is in tests/engine."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labctl.engine.daemon import Daemon, start, stop
from labctl.engine.process import run
from labctl.errors import EngineUnavailable

# Named dockerd by prctl(PR_SET_NAME), since a script's own command name is that of its interpreter.
ANSWERING = """\
import ctypes, os, signal, socket, sys
folder = sys.argv[1]
ctypes.CDLL(None).prctl(15, b"dockerd", 0, 0, 0)
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = socket.socket(socket.AF_UNIX)
server.bind(folder + "/docker.sock")
server.listen()
open(folder + "/docker.pid", "w").write(str(os.getpid()))
while True:
    client, _ = server.accept()
    client.recv(1024)
    client.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\nOK")
    client.close()
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path / "docker.sock", tmp_path / "docker.pid", tmp_path / "log", (str(tmp_path),))
    yield made
    pid = made.pid()
    if pid is not None:
        os.kill(pid, signal.SIGKILL)


@pytest.fixture
def dockerd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a dockerd into PATH: a Python program."""

    def make(program: str) -> None:
        script = tmp_path / "dockerd"
        script.write_text(f"#!{sys.executable}\n{program}")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return make


def test_start_and_stop(daemon: Daemon, dockerd: Callable[[str], None]) -> None:
    dockerd(ANSWERING)
    pid = start(daemon, 30)
    assert daemon.pid() == pid
    assert daemon.answers()
    assert os.getsid(pid) == pid
    assert stop(daemon, 30)
    os.waitpid(pid, 0)
    assert not daemon.answers()
    assert not stop(daemon, 30)


def test_one_that_ends_is_shown_with_its_own_last_lines(daemon: Daemon, dockerd: Callable[[str], None]) -> None:
    daemon.log.write_text("of an earlier start\n")
    dockerd("import sys; sys.exit('no cgroups here')")
    with pytest.raises(EngineUnavailable, match="dockerd ended with exit code 1") as caught:
        start(daemon, 30)
    assert caught.value.evidence == ("no cgroups here",)


def test_one_that_does_not_answer_is_ended(daemon: Daemon, dockerd: Callable[[str], None], tmp_path: Path) -> None:
    ended = tmp_path / "ended"
    dockerd(
        "import pathlib, signal, sys, time\n"
        f"signal.signal(signal.SIGTERM, lambda *_: (pathlib.Path({str(ended)!r}).touch(), sys.exit(0)))\n"
        "time.sleep(600)\n"
    )
    with pytest.raises(EngineUnavailable, match="did not answer within 1 s"):
        start(daemon, 1)
    assert ended.exists()


def test_an_old_pid_file_is_not_believed(daemon: Daemon) -> None:
    daemon.pid_file.write_text(str(os.getpid()))
    assert daemon.pid() is None
    daemon.pid_file.write_text("nonsense")
    assert daemon.pid() is None
    assert not stop(daemon)


def test_no_dockerd(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labctl.engine.daemon._SBIN", "")
    monkeypatch.setenv("PATH", "/labctl-no-such-folder")
    with pytest.raises(EngineUnavailable, match="There is no dockerd"):
        start(daemon)


def test_the_command_line_loads_no_docker_library() -> None:
    """`labctl --help` has to be there at once."""
    heavy = "{'docker', 'rich.live', 'openstack', 'paramiko'}"
    assert run([sys.executable, "-c", f"import sys, labctl.cli.engine; print({heavy} & set(sys.modules))"]).stdout == (
        "set()\n"
    )
