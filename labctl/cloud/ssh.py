"""Logging in to a guest: a key made in memory, and commands over ssh."""

import io
import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from labctl.cloud.waiting import Pending
from labctl.errors import CloudCheckFailed

# paramiko reports refused handshakes to its logger as well as to the caller, and logging prints what nobody handles.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class SshKey:
    """An ed25519 key pair.

    Attributes:
        public: One line, as in authorized_keys.
        private: OpenSSH's own format, without a passphrase.
    """

    public: str
    private: str = field(repr=False)


def new_key(comment: str) -> SshKey:
    """Makes a key pair; nothing is written anywhere.

    Args:
        comment: Ends the public line.
    """
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    return SshKey(f"{public} {comment}", private)


@dataclass(frozen=True)
class CommandResult:
    """What a command inside a guest said.

    Attributes:
        command: As given.
        status: Its exit status; -1 when the guest did not tell.
        stdout: Its output.
        stderr: Its complaints.
    """

    command: str
    status: int
    stdout: str
    stderr: str

    def lines(self) -> tuple[str, ...]:
        """Everything that it said, as evidence."""
        said = [line for line in (self.stdout + "\n" + self.stderr).splitlines() if line.strip()]
        return (f"$ {self.command}", *said[-10:], f"exit status {self.status}")


class _AcceptNewGuest(paramiko.MissingHostKeyPolicy):
    """Takes the key that the guest shows.

    The guest made it at its first boot, a moment ago, so nothing can be known about it; there is nothing secret to send
    to the wrong one either: the login is by key, and the key pair exists for this guest only.
    """

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        """Accepts."""


class GuestShell:
    """An open login.

    Args:
        client: Connected and logged in.
        address: Where to, for messages.
    """

    def __init__(self, client: paramiko.SSHClient, address: IPv4Address) -> None:
        self._client = client
        self._address = address

    def run(self, command: str, timeout: float) -> CommandResult:
        """Runs a command.

        Args:
            command: For the guest's shell.
            timeout: Seconds without output.

        Raises:
            CloudCheckFailed: The connection broke, or the command said nothing for too long.
        """
        try:
            stdin, stdout, stderr = self._client.exec_command(command, timeout=timeout)
            stdin.close()
            out, err = stdout.read(), stderr.read()
            status = stdout.channel.recv_exit_status()
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise CloudCheckFailed(
                f"A command inside the guest at {self._address} did not come to an end.",
                evidence=(f"$ {command}", f"{type(error).__name__}: {error}"),
                remedy="The guest's console log (`openstack console log show`) says whether it still runs.",
            ) from error
        return CommandResult(command, status, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))

    def close(self) -> None:
        """Logs out."""
        self._client.close()


def try_login(address: IPv4Address, user: str, key: SshKey, timeout: float) -> GuestShell | Pending:
    """Tries to log in, once.

    A guest that boots refuses in many ways: no answer, port closed, key not there yet as it is still being fetched from
    the metadata service. So each is an observation, not an error; the caller decides how long to go on.

    Args:
        address: The floating IP.
        user: The guest's user.
        key: The key pair that the server was created with.
        timeout: Seconds for the TCP connection; the handshake, slow in an emulated guest, has five times as long.
    """
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(_AcceptNewGuest())
    try:
        connection = socket.create_connection((str(address), 22), timeout=timeout)
        client.connect(
            str(address),
            username=user,
            pkey=paramiko.Ed25519Key.from_private_key(io.StringIO(key.private)),
            sock=connection,
            allow_agent=False,
            look_for_keys=False,
            timeout=timeout,
            banner_timeout=5 * timeout,
            auth_timeout=5 * timeout,
        )
    except (paramiko.SSHException, OSError, EOFError) as error:
        client.close()
        return Pending(f"ssh {user}@{address}: {type(error).__name__}: {error}")
    return GuestShell(client, address)


@contextmanager
def closing_all() -> Iterator[list[GuestShell]]:
    """A list for open logins; all of them are closed at the end."""
    shells: list[GuestShell] = []
    try:
        yield shells
    finally:
        for shell in shells:
            shell.close()
