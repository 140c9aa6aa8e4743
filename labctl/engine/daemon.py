"""Starting and stopping dockerd where no init system does it, and saying how the engine runs."""

import os
import select
import shutil
import signal
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labctl.engine.client import Plugins, connect, plugins
from labctl.engine.endpoint import Endpoint, endpoint
from labctl.engine.init import systemd_runs
from labctl.engine.process import start_detached
from labctl.errors import EngineUnavailable

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 60.0

_POLL_SECONDS: Final = 0.1
_LOG_LINES: Final = 15
_COMM: Final = "dockerd"

# dockerd calls iptables and ip; the PATH of `su` without `-` has no sbin on Debian.
_SBIN: Final = "/usr/local/sbin:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Daemon:
    """A dockerd of this machine; as it is, the one that everybody uses.

    Attributes:
        socket: Where it answers.
        pid_file: Where it writes its process id.
        log: Where its output goes.
        options: Its command-line options. None by default: /etc/docker/daemon.json then says all there is to say, and
            an option that is set in both places would keep it from starting.
    """

    socket: Path = Path("/var/run/docker.sock")
    pid_file: Path = Path("/run/docker.pid")
    log: Path = Path("/var/log/docker.log")
    options: tuple[str, ...] = ()

    def pid(self) -> int | None:
        """Returns the process id; None where it does not run, whatever an old pid file says."""
        try:
            pid = int(self.pid_file.read_text())
            return pid if Path(f"/proc/{pid}/comm").read_text().strip() == _COMM else None
        except (OSError, ValueError):
            return None

    def answers(self) -> bool:
        """Tells whether its API answers on the socket, to whoever may use it."""
        try:
            with socket.socket(socket.AF_UNIX) as ping:
                ping.settimeout(5)
                ping.connect(str(self.socket))
                ping.sendall(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n")
                return b" 200 " in ping.recv(64)
        except OSError:
            return False


@dataclass(frozen=True)
class EngineStatus:
    """What an engine is and how it runs.

    Attributes:
        where: How it is reached.
        version: Its version.
        storage_driver: Such as overlay2.
        cgroup_version: 1 or 2.
        root: Where it keeps images and containers.
        started: How it was started, for people.
        plugins: The versions of the docker command's plugins.
    """

    where: Endpoint
    version: str
    storage_driver: str
    cgroup_version: str
    root: Path
    started: str
    plugins: Plugins


def status() -> EngineStatus:
    """Looks at the engine that the docker CLI would use.

    Returns:
        What it is.

    Raises:
        EngineUnavailable: It does not answer, or is too old.
    """
    where = endpoint()
    client = connect(where)
    try:
        info = client.info()
    finally:
        client.close()
    return EngineStatus(
        where=where,
        version=info["ServerVersion"],
        storage_driver=info["Driver"],
        cgroup_version=info.get("CgroupVersion", "?"),
        root=Path(info["DockerRootDir"]),
        started=_how_started(where),
        plugins=plugins(),
    )


def start(daemon: Daemon, seconds: float = START_SECONDS) -> int:
    """Starts dockerd in a session of its own and waits until it answers. Needs root.

    Args:
        daemon: The dockerd.
        seconds: How long to wait.

    Returns:
        Its process id.

    Raises:
        EngineUnavailable: There is no dockerd, it ended, or it did not answer in time; then it is ended.
    """
    if shutil.which("dockerd", path=_path()) is None:
        raise EngineUnavailable(
            "There is no dockerd on this machine", remedy="Run `make setup` in a clone of labctl: it installs one."
        )
    log_begin = daemon.log.stat().st_size if daemon.log.exists() else 0
    pid = start_detached(["dockerd", *daemon.options], log=daemon.log, env={"PATH": _path()})
    try:
        ended = _wait_for_answer(daemon, pid, seconds)
    except BaseException:
        _end(pid, STOP_SECONDS)
        raise
    if ended is None:
        return pid
    raise EngineUnavailable(
        f"dockerd {ended}",
        evidence=_last_lines(daemon.log, log_begin),
        remedy=f"All it said is in {daemon.log}.",
    )


def stop(daemon: Daemon, seconds: float = STOP_SECONDS) -> bool:
    """Asks dockerd to end, which ends its containers, and waits for it. Needs root.

    Args:
        daemon: The dockerd.
        seconds: How long to wait.

    Returns:
        Whether one ran.

    Raises:
        EngineUnavailable: It did not end in time, or it is not known which process it is.
    """
    pid = daemon.pid()
    if pid is None:
        if daemon.answers():
            raise EngineUnavailable(
                f"An engine answers at {daemon.socket}, and {daemon.pid_file} does not say which process it is",
                remedy="Stop it in the way in which it was started.",
            )
        return False
    if not _end(pid, seconds):
        raise EngineUnavailable(
            f"dockerd (process {pid}) did not end within {seconds:g} s",
            evidence=_last_lines(daemon.log, 0),
            remedy="Try again; containers that do not end hold it up.",
        )
    return True


def _wait_for_answer(daemon: Daemon, pid: int, seconds: float) -> str | None:
    """Returns None once it answers, else what happened to it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, wait_status = os.waitpid(pid, os.WNOHANG)
        if ended:
            return f"ended with exit code {os.waitstatus_to_exitcode(wait_status)}"
        # Its own pid as well: another engine may answer on the socket while this one finds that out.
        if daemon.pid() == pid and daemon.answers():
            return None
        time.sleep(_POLL_SECONDS)
    _end(pid, STOP_SECONDS)
    return f"did not answer within {seconds:g} s"


def _end(pid: int, seconds: float) -> bool:
    """Sends SIGTERM and waits; tells whether the process ended."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        signal.pidfd_send_signal(handle, signal.SIGTERM)
        return bool(select.select([handle], [], [], seconds)[0])
    except ProcessLookupError:
        return True
    finally:
        os.close(handle)


def _how_started(where: Endpoint) -> str:
    if not where.is_default:
        return f"elsewhere: context {where.context}, {where.host}"
    if systemd_runs():
        return "by systemd"
    daemon = Daemon()
    pid = daemon.pid()
    return f"without an init system: process {pid}, log {daemon.log}" if pid else "without an init system"


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:{_SBIN}"


def _last_lines(log: Path, begin: int) -> Sequence[str]:
    try:
        with log.open("rb") as file:
            file.seek(max(begin, log.stat().st_size - 16384))
            return file.read().decode(errors="replace").splitlines()[-_LOG_LINES:]
    except OSError as error:
        return [f"{log}: {error.strerror}"]
