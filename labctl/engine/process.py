"""The one subprocess door: every program that labctl runs is run here."""

import errno
import json
import os
import selectors
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Final

from labctl.errors import LabctlError

TERMINATE_SECONDS: Final = 10.0
"""How long a process group may take to end after SIGTERM."""
DIES_WITH_LABCTL: Final = ("setpriv", "--pdeathsig", "KILL", "--")
"""Has the kernel end a program with labctl, also where labctl is killed and can do nothing itself (PR_SET_PDEATHSIG).

Else Compose would go on making containers behind the back of the next labctl.
"""

NOT_FOUND: Final = 127
"""The shell's exit code for a program that is not there."""

_LAST_LINES: Final = 20
_POLL_SECONDS: Final = 0.05

IsOver = Callable[[], bool]
OnLine = Callable[[str], None]
"""Takes one line of output, without its line end."""


@dataclass(frozen=True)
class Completed:
    """A program that ended.

    Attributes:
        argv: The program and its arguments.
        exit_code: Its exit code; -N where signal N ended it.
        stdout: What it wrote; bytes that are not UTF-8 are replaced.
        stderr: Likewise.
        seconds: How long it ran.
    """

    argv: tuple[str, ...]
    exit_code: int
    stdout: str
    stderr: str
    seconds: float


class CommandFailed(LabctlError):  # noqa: N818 - read as a sentence: raise CommandFailed("...")
    """A program failed, ran out of time, or is not there.

    Attributes:
        completed: What is known of it; exit code 127 where it is not there.
    """

    def __init__(self, completed: Completed, *, reason: str = "", cwd: Path | None = None, remedy: str = "") -> None:
        output = completed.stderr.strip() or completed.stdout.strip()
        # Only the command: its environment may hold secrets.
        shown = shlex.join(completed.argv)
        command = f"cd {shlex.quote(str(cwd))} && {shown}" if cwd else shown
        why = reason or _ending(completed.exit_code)
        super().__init__(
            f"{Path(completed.argv[0]).name} {why}",
            evidence=[f"$ {command}", *output.splitlines()[-_LAST_LINES:]],
            remedy=remedy,
        )
        self.completed = completed


def run(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,
    timeout: float | None = None,
    check: bool = True,
) -> Completed:
    """Runs a program to its end and collects its output.

    Args:
        argv: The program and its arguments; no shell.
        cwd: Its working folder.
        env: Added to this process's environment.
        input: What it reads; nothing when None.
        timeout: Seconds after which its process group is ended.
        check: Whether an exit code other than 0 is an error.

    Returns:
        The ended program.

    Raises:
        CommandFailed: It is not there, ran out of time, or (with `check`) failed.
    """
    begin = time.monotonic()
    stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
    with _started(argv, cwd, env, stdin, subprocess.PIPE) as process:
        try:
            out, err = process.communicate(input, timeout)
        except subprocess.TimeoutExpired as error:
            end_group(process)
            partial = Completed(
                tuple(argv), process.returncode, _text(error.output), _text(error.stderr), time.monotonic() - begin
            )
            raise CommandFailed(partial, reason=f"did not end within {timeout:g} s", cwd=cwd) from error
    completed = Completed(tuple(argv), process.returncode, _text(out), _text(err), time.monotonic() - begin)
    if check and completed.exit_code != 0:
        raise CommandFailed(completed, cwd=cwd)
    return completed


def transfer(argv: Sequence[str], *, source: BinaryIO | None = None, target: BinaryIO | None = None) -> None:
    """Runs a program that reads one open file or writes to another, from where these stand, past this process.

    Args:
        argv: The program and its arguments; no shell.
        source: What it reads; nothing when None.
        target: What it writes to.

    Raises:
        CommandFailed: It is not there, or failed.
    """
    begin = time.monotonic()
    stdin = subprocess.DEVNULL if source is None else source.fileno()
    stdout = subprocess.PIPE if target is None else target.fileno()
    with _started(argv, None, None, stdin, subprocess.PIPE, stdout) as process:
        out, err = process.communicate()
    completed = Completed(tuple(argv), process.returncode, _text(out), _text(err), time.monotonic() - begin)
    if completed.exit_code != 0:
        raise CommandFailed(completed)


def stream(
    argv: Sequence[str],
    on_line: OnLine,
    *,
    on_error_line: OnLine | None = None,
    is_over: IsOver | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> int:
    """Runs a program and hands on its output line by line, in this thread.

    Args:
        argv: The program and its arguments; no shell.
        on_line: Called for each line of standard output, and of standard error when `on_error_line` is None. What it
            raises ends the program and is raised on.
        on_error_line: Called for each line of standard error.
        is_over: Asked twice a second, and after each output, whether the program shall be ended now.
        cwd: Its working folder.
        env: Added to this process's environment.

    Returns:
        The exit code; -N where signal N ended it.

    Raises:
        CommandFailed: The program is not there.
    """
    stderr = subprocess.STDOUT if on_error_line is None else subprocess.PIPE
    with _started(argv, cwd, env, subprocess.DEVNULL, stderr) as process:
        if not _pump(process, (on_line, on_error_line), is_over):
            end_group(process)
    return process.returncode


class Conversation:
    """A program that answers each line of JSON with one."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def say(self, text: str) -> None:
        """Writes to the program, which does not answer."""
        assert self._process.stdin  # noqa: S101 - started with a pipe
        with suppress(BrokenPipeError):  # it has ended, as the next answer shows
            self._process.stdin.write(text.encode())
            self._process.stdin.flush()

    def ask(self, question: object) -> Any:
        """Writes a line and reads the answer.

        Raises:
            CommandFailed: The program has ended.
        """
        self.say(json.dumps(question) + "\n")
        assert self._process.stdout  # noqa: S101 - likewise
        line = self._process.stdout.readline()
        if not line:
            out, err = self._process.communicate()
            raise CommandFailed(Completed(_argv(self._process), self._process.returncode, _text(out), _text(err), 0.0))
        return json.loads(line)


@contextmanager
def conversation(argv: Sequence[str]) -> Iterator[Conversation]:
    """Talks with a program, which ends when its input does.

    Args:
        argv: The program and its arguments; no shell.

    Raises:
        CommandFailed: It is not there.
    """
    with _started(argv, None, None, subprocess.PIPE, subprocess.PIPE) as process:
        yield Conversation(process)
        process.communicate()


def interactive(argv: Sequence[str], *, env: Mapping[str, str] | None = None) -> int:
    """Runs a program on this process's own terminal: a shell in a container, a password prompt, a pager.

    It stays in this process group, which is what lets it read the terminal; so Ctrl-C reaches it by itself, and what
    it makes of that is its own business.

    Args:
        argv: The program and its arguments; no shell.
        env: Added to this process's environment.

    Returns:
        The exit code; -N where signal N ended it.

    Raises:
        CommandFailed: The program is not there.
    """
    try:
        process = subprocess.Popen(list(argv), env=_environment(env))
    except OSError as error:
        raise _cannot_start(argv, error, None) from error
    with process:
        while True:
            with suppress(KeyboardInterrupt):
                return process.wait()


def start_detached(argv: Sequence[str], *, log: Path, env: Mapping[str, str] | None = None) -> int:
    """Starts a program that outlives this one: a session of its own, its output appended to a file.

    Args:
        argv: The program and its arguments; no shell.
        log: Where its standard output and error go.
        env: Added to this process's environment.

    Returns:
        Its process id. It is a child of this process until this one ends: `os.waitpid` tells whether it ended.

    Raises:
        CommandFailed: It is not there, or the log cannot be written.
    """
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        return os.posix_spawnp(argv[0], list(argv), _environment(env) or os.environ, file_actions=actions, setsid=True)
    except OSError as error:
        raise _cannot_start(argv, error, None) from error


def end_group(process: subprocess.Popen[bytes], grace: float = TERMINATE_SECONDS) -> None:
    """Ends a process group: SIGTERM, a wait, SIGKILL for what is left. A Ctrl-C meanwhile cuts the wait short.

    Args:
        process: Its leader.
        grace: How long it may take to end by itself, in seconds.
    """
    deadline = time.monotonic() + grace
    try:
        _signal_group(process.pid, signal.SIGTERM)
        # The leader may end before its children (docker before docker-compose), so the group is waited for.
        while _group_is_there(process) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    finally:
        _signal_group(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _started(
    argv: Sequence[str],
    cwd: Path | None,
    env: Mapping[str, str] | None,
    stdin: int,
    stderr: int,
    stdout: int = subprocess.PIPE,
) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a program in a process group of its own, and ends the group if the body does not come to its end.

    A group of its own, because a Ctrl-C on the terminal must reach labctl alone: labctl then ends the group in order,
    and waits for it, so that nothing is left half-done behind its back.
    """
    try:
        if shutil.which(argv[0]) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
        process = subprocess.Popen(
            [*DIES_WITH_LABCTL, *argv],
            cwd=cwd,
            env=_environment(env),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            process_group=0,
            # Python's own files are closed for others anyway (PEP 446); what is left is the lock of a lab, which a
            # program that outlives a killed labctl goes on holding: see labctl.lab.state.locked.
            close_fds=False,
        )
    except OSError as error:
        raise _cannot_start(argv, error, cwd) from error
    with process:
        try:
            yield process
        except BaseException:
            if process.returncode is None:
                end_group(process)
            raise


def _pump(process: subprocess.Popen[bytes], hearers: Sequence[OnLine | None], is_over: IsOver | None) -> bool:
    """Reads both outputs in one thread, so that callbacks never run at the same time; tells whether to their end."""
    with selectors.DefaultSelector() as selector:
        pending: dict[int, bytes] = {}
        for pipe, callback in zip((process.stdout, process.stderr), hearers, strict=True):
            if pipe is not None and callback is not None:
                selector.register(pipe, selectors.EVENT_READ, callback)
                pending[pipe.fileno()] = b""
        while selector.get_map():
            if is_over and is_over():
                return False
            for key, _ in selector.select(0.5 if is_over else None):
                chunk = os.read(key.fd, 65536)
                *lines, rest = (pending[key.fd] + chunk).split(b"\n")
                if not chunk:
                    selector.unregister(key.fileobj)
                    lines, rest = ([rest] if rest else []), b""
                pending[key.fd] = rest
                for line in lines:
                    key.data(_text(line).rstrip("\r"))
    return True


def _argv(process: subprocess.Popen[bytes]) -> tuple[str, ...]:
    assert isinstance(process.args, list)  # noqa: S101 - as `_started` gives it
    return tuple(process.args[len(DIES_WITH_LABCTL) :])


def _environment(extra: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if extra is None else {**os.environ, **extra}


def _text(content: bytes | str | IO[bytes] | None) -> str:
    return content.decode(errors="replace") if isinstance(content, bytes) else ""


def _signal_group(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _group_is_there(process: subprocess.Popen[bytes]) -> bool:
    """Tells whether a member of the group still runs.

    Read from /proc and not asked with signal 0: a zombie whose new parent does not collect it, as in a container
    without an init, would count for ever (proc(5): state and pgrp are the first and third field after the command).
    """
    if process.poll() is None:
        return True
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, _, group = (entry / "stat").read_text().rpartition(")")[2].split()[:3]
                if int(group) == process.pid and state != "Z":
                    return True
    return False


def _ending(exit_code: int) -> str:
    if exit_code >= 0:
        return f"failed with exit code {exit_code}"
    try:
        return f"was ended by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"was ended by signal {-exit_code}"


def _cannot_start(argv: Sequence[str], error: OSError, cwd: Path | None) -> CommandFailed:
    missing = isinstance(error, FileNotFoundError) and (cwd is None or cwd.is_dir())
    completed = Completed(tuple(argv), NOT_FOUND, "", "" if missing else str(error), 0.0)
    if missing:
        return CommandFailed(completed, reason="is not installed, or not in PATH", cwd=cwd)
    return CommandFailed(completed, reason="could not be started", cwd=cwd)
