"""A lab's certificates: issued by its authority, the same each time, and accepted by the system's TLS."""

import socket
import ssl
import threading
from pathlib import Path

from cryptography import x509

from labctl.lab.authority import authority_certificate, issue, make_authority, make_key

AUTHORITY = make_authority()
KEY = make_key()


def test_the_same_arguments_give_the_same_certificate() -> None:
    assert issue(AUTHORITY, KEY, "node1", ["10.77.0.11"]) == issue(AUTHORITY, KEY, "node1", ["10.77.0.11"])


def test_certificates_differ_in_their_serial_numbers() -> None:
    issued = [issue(AUTHORITY, KEY, "node1", hosts) for hosts in (["10.77.0.11"], ["10.77.0.12"], [])]
    issued.append(issue(AUTHORITY, make_key(), "node1", ["10.77.0.11"]))
    assert len({x509.load_pem_x509_certificate(text.encode()).serial_number for text in issued}) == 4


def test_it_holds_for_the_hosts_that_it_names() -> None:
    text = issue(AUTHORITY, KEY, "node1", ["10.77.0.11", "node1"])
    found = x509.load_pem_x509_certificate(text.encode()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert [str(name.value) for name in found.value] == ["10.77.0.11", "node1"]


def test_the_authority_shows_its_certificate_and_keeps_its_key() -> None:
    shown = authority_certificate(AUTHORITY)
    assert "PRIVATE" not in shown
    assert shown in AUTHORITY


def talk(folder: Path, trusted: str, host: str) -> str:
    """Opens a connection between two that have certificates of this authority; what the server says."""
    (folder / "server.pem").write_text(KEY + issue(AUTHORITY, KEY, "node1", ["127.0.0.1"]))
    (folder / "ca.pem").write_text(authority_certificate(trusted))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(folder / "server.pem")
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    client.load_cert_chain(folder / "server.pem")
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with context.wrap_socket(theirs, server_side=True) as connection:
            connection.sendall(b"well")

    server = threading.Thread(target=serve)
    server.start()
    try:
        with client.wrap_socket(ours, server_hostname=host) as connection:
            return connection.recv(4).decode()
    finally:
        server.join()


def test_openssl_accepts_it_on_both_sides(tmp_path: Path) -> None:
    assert talk(tmp_path, AUTHORITY, "127.0.0.1") == "well"
