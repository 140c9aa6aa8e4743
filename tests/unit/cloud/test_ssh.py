import io
import socket
import threading
from ipaddress import IPv4Address

import paramiko
import pytest

from labctl.cloud import ssh
from labctl.cloud.ssh import CommandResult, closing_all, new_key, try_login
from labctl.cloud.waiting import Pending


def test_a_key_pair_belongs_together_and_hides_its_private_half() -> None:
    key = new_key("demo-ab12cd")
    loaded = paramiko.Ed25519Key.from_private_key(io.StringIO(key.private))
    kind, public, comment = key.public.split()
    assert (kind, public, comment) == ("ssh-ed25519", loaded.get_base64(), "demo-ab12cd")
    assert "PRIVATE" not in repr(key)
    assert new_key("x").public != new_key("x").public


def test_evidence_of_a_command_is_what_it_said() -> None:
    said = CommandResult("ping x", 1, "one\n\ntwo\n", "bad\n")
    assert said.lines() == ("$ ping x", "one", "two", "bad", "exit status 1")


def test_a_refused_connection_is_an_observation(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(address: tuple[str, int], timeout: float) -> socket.socket:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(ssh.socket, "create_connection", refuse)
    seen = try_login(IPv4Address("192.0.2.1"), "lab", new_key("x"), 1)
    assert isinstance(seen, Pending)
    assert seen.observation.startswith("ssh lab@192.0.2.1: ConnectionRefusedError")


class Guest(paramiko.ServerInterface):
    """An sshd that knows one key and answers every command with its own words."""

    def __init__(self, public: str) -> None:
        self._public = public
        self.answers: list[threading.Thread] = []

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username == "lab" and key.get_base64() == self._public
        return paramiko.AUTH_SUCCESSFUL if known else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        def answer() -> None:
            channel.recv(1)  # until the client has closed its end: it has our yes to the request by then
            channel.sendall(b"said " + command)
            channel.sendall_stderr(b"complained")
            channel.send_exit_status(3)
            channel.close()

        self.answers.append(threading.Thread(target=answer))
        self.answers[-1].start()
        return True


def guest_at_the_other_end(monkeypatch: pytest.MonkeyPatch, guest: Guest) -> paramiko.Transport:
    here, there = socket.socketpair()
    server = paramiko.Transport(there)
    server.add_server_key(paramiko.ECDSAKey.generate())
    server.start_server(event=threading.Event(), server=guest)
    monkeypatch.setattr(ssh.socket, "create_connection", lambda address, timeout: here)
    return server


def test_a_login_runs_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_key("x")
    guest = Guest(key.public.split()[1])
    server = guest_at_the_other_end(monkeypatch, guest)
    with closing_all() as shells:
        shell = try_login(IPv4Address("192.0.2.1"), "lab", key, 5)
        assert not isinstance(shell, Pending), shell
        shells.append(shell)
        assert shell.run("hostname", 5) == CommandResult("hostname", 3, "said hostname", "complained")
        # Its last word may still be on the way: the login stays open until it is said.
        for answer in guest.answers:
            answer.join()
    server.close()


def test_a_key_that_the_guest_does_not_have_yet_is_an_observation(monkeypatch: pytest.MonkeyPatch) -> None:
    server = guest_at_the_other_end(monkeypatch, Guest("another"))
    seen = try_login(IPv4Address("192.0.2.1"), "lab", new_key("x"), 5)
    assert isinstance(seen, Pending)
    assert "AuthenticationException" in seen.observation
    server.close()
