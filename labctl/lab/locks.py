"""Locks that hold between all labctl processes of this machine, whoever runs them."""

import errno
import socket
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from labctl.lab.owner import Owner, user

# struct ucred of unix(7): pid, uid, gid.
_CREDENTIALS = struct.Struct("iII")
_BIND_SECONDS = 0.02
_PLACE = "labctl/lock/"


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Attributes:
        process: The process that took it; programs that it started may have outlived it.
        user: Its user.
    """

    process: int
    user: Owner


@contextmanager
def locked(name: str, on_wait: Callable[[Holder], None] = lambda _: None) -> Iterator[None]:
    """Holds the lock of one thing.

    The lock is a socket with an abstract name (unix(7)), which only one process can have. It is no file, which another
    user could have put there, or might not open, and nothing is left of it. The kernel drops it with the process,
    however that ends. Programs that labctl runs meanwhile hold it too: where labctl is killed, the next one waits until
    Compose has noticed and ended, and the two do not work against each other.

    Args:
        name: What is locked: `lab-NAME`, `addresses` for the choice of address ranges, `range-NETWORK` for one that
            was chosen and that no network of the engine has yet, `build`.
        on_wait: Told who holds it, each time that somebody does; what it raises ends the wait.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as lock:
        while not _take(lock, name):
            _wait(name, on_wait)
        lock.set_inheritable(True)
        yield


def held(prefix: str, sockets: Path = Path("/proc/net/unix")) -> tuple[str, ...]:
    """The locks that somebody holds at this moment, of those whose names begin so; without that beginning."""
    begin = f"@{_PLACE}{prefix}"
    names = (line.split(" ", 7)[-1] for line in sockets.read_text(errors="replace").splitlines())
    return tuple(sorted({name.removeprefix(begin) for name in names if name.startswith(begin)}))


def _address(name: str) -> str:
    return f"\0{_PLACE}{name}"


def _take(lock: socket.socket, name: str) -> bool:
    try:
        lock.bind(_address(name))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return False
    lock.listen()
    return True


def _wait(name: str, on_wait: Callable[[Holder], None]) -> None:
    """Waits for the end of whoever holds a lock: he answers no connection, and the kernel ends those that wait."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as waiting:
        try:
            waiting.connect(_address(name))
        except ConnectionRefusedError:
            pass  # The holder has just ended, or the next one has the name and does not listen yet.
        else:
            said = waiting.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
            process, uid, _ = _CREDENTIALS.unpack(said)
            on_wait(Holder(process, user(uid)))
            with suppress(ConnectionResetError):
                waiting.recv(1)
    # Nothing can be waited on until the next one listens; and a holder that only closes connections keeps nobody busy.
    time.sleep(_BIND_SECONDS)
