import base64
import contextlib
import hashlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from labctl.cloud.console import open_console, websocket_url, write_png
from labctl.cloud.rfb import Picture
from labctl.errors import BadInput, CloudCheckFailed
from labctl.lab.authority import authority_certificate, issue, make_authority, make_key

from .rfb_server import BLUE, RED, greeting, raw, server_init, update


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ("http://10.0.0.1:6080/vnc_lite.html?path=%3Ftoken%3Dabc", "ws://10.0.0.1:6080/?token=abc"),
        ("https://c.example/vnc_lite.html?path=%2Fwebsockify%3Ftoken%3Dabc", "wss://c.example/websockify?token=abc"),
        ("http://10.0.0.1:6080/vnc_auto.html?token=abc", "ws://10.0.0.1:6080/?token=abc"),
    ],
)
def test_the_websocket_behind_the_page(page: str, expected: str) -> None:
    assert websocket_url(page) == expected


@pytest.mark.parametrize("page", ["http://10.0.0.1:6080/vnc_lite.html", "http://10.0.0.1/?path=%3Fx%3D1", "nonsense"])
def test_a_url_without_a_token_is_refused(page: str) -> None:
    with pytest.raises(CloudCheckFailed, match="no token"):
        websocket_url(page)


class Proxy:
    """A novncproxy: does the websocket handshake when the token is right, then sends bytes in frames cut anywhere."""

    def __init__(self, says: bytes, tls: ssl.SSLContext | None = None) -> None:
        self._says = says
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.request = b""
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._thread.join(10)
        self._listener.close()

    def _serve(self) -> None:
        self._listener.settimeout(10)
        accepted, _ = self._listener.accept()
        with contextlib.suppress(ssl.SSLError), self._spoken_to(accepted) as connection:
            connection.settimeout(10)
            while b"\r\n\r\n" not in self.request:
                self.request += connection.recv(4096)
            if b"token=good" not in self.request:
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            connection.sendall(self._accept())
            for start in range(0, len(self._says), 7):
                piece = self._says[start : start + 7]
                connection.sendall(struct.pack("!BB", 0x82, len(piece)) + piece)
            connection.sendall(struct.pack("!BB", 0x88, 0))
            with contextlib.suppress(OSError):
                while connection.recv(4096):
                    pass

    def _spoken_to(self, accepted: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(accepted, server_side=True) if self._tls else accepted

    def _accept(self) -> bytes:
        headers = dict(line.split(b": ", 1) for line in self.request.split(b"\r\n")[1:] if b": " in line)
        digest = hashlib.sha1(headers[b"Sec-WebSocket-Key"] + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11")  # noqa: S324
        return (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Accept: "
            + base64.b64encode(digest.digest())
            + b"\r\n\r\n"
        )


@contextlib.contextmanager
def proxy(says: bytes, tls: ssl.SSLContext | None = None) -> Iterator[Proxy]:
    server = Proxy(says, tls)
    try:
        yield server
    finally:
        server.close()


def page(server: Proxy, word: str = "good", scheme: str = "http") -> str:
    return f"{scheme}://127.0.0.1:{server.port}/vnc_lite.html?path=%3Ftoken%3D{word}"


def test_a_screen_comes_through_the_websocket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    picture = update(raw(0, 0, 2, 3, RED), raw(2, 0, 2, 3, BLUE))
    with proxy(greeting() + server_init(4, 3) + picture) as server:
        with open_console(page(server), timeout=10) as screen:
            assert screen.picture().colours() == 2
        assert server.request.startswith(b"GET /?token=good HTTP/1.1")


@pytest.fixture
def issued(tmp_path: Path) -> tuple[ssl.SSLContext, str]:
    """What a proxy has that a lab's authority issued a certificate to; and the file with the authority's own."""
    authority, key = make_authority(), make_key()
    pair, trusted = tmp_path / "proxy.pem", tmp_path / "ca.pem"
    pair.write_text(issue(authority, key, "proxy", ["127.0.0.1"]) + key)
    trusted.write_text(authority_certificate(authority))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    return context, str(trusted)


def test_a_screen_comes_through_tls(issued: tuple[ssl.SSLContext, str]) -> None:
    context, trusted = issued
    picture = update(raw(0, 0, 2, 3, RED), raw(2, 0, 2, 3, BLUE))
    with (
        proxy(greeting() + server_init(4, 3) + picture, context) as server,
        open_console(page(server, scheme="https"), timeout=10, ca_file=trusted) as screen,
    ):
        assert screen.picture().colours() == 2


def test_a_proxy_that_the_labs_authority_does_not_vouch_for_is_not_spoken_to(
    issued: tuple[ssl.SSLContext, str], tmp_path: Path
) -> None:
    context, _ = issued
    other = tmp_path / "other.pem"
    other.write_text(authority_certificate(make_authority()))
    with (
        proxy(b"", context) as server,
        pytest.raises(CloudCheckFailed, match="novncproxy") as caught,
        open_console(page(server, scheme="https"), timeout=10, ca_file=str(other)),
    ):
        pass
    assert "CERTIFICATE_VERIFY_FAILED" in caught.value.evidence[0]
    assert server.request == b""


def test_a_refused_token_is_an_error_for_people() -> None:
    with (
        proxy(b"") as server,
        pytest.raises(CloudCheckFailed, match="novncproxy") as caught,
        open_console(page(server, "bad"), timeout=10),
    ):
        pass
    assert "403" in caught.value.evidence[0]


def test_a_proxy_that_hangs_up_is_an_error_for_people() -> None:
    with (
        proxy(greeting()[:8]) as server,
        pytest.raises(CloudCheckFailed, match="novncproxy"),
        open_console(page(server), timeout=10),
    ):
        pass


def test_nobody_there_is_an_error_for_people() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        pytest.raises(CloudCheckFailed, match="novncproxy"),
        open_console(f"http://127.0.0.1:{port}/?token=x", timeout=5),
    ):
        pass


def test_the_png_holds_the_picture(tmp_path: Path) -> None:
    path = tmp_path / "new" / "console.png"
    write_png(Picture(2, 1, bytes(RED + BLUE)), path)
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (2, 1))
        assert (image.getpixel((0, 0)), image.getpixel((1, 0))) == (RED, BLUE)


def test_a_place_that_cannot_be_written_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput):
        write_png(Picture(1, 1, bytes(RED)), tmp_path / "file" / "console.png")
