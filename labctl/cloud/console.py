"""A server's graphical console, the way a browser gets it: noVNC's URL, a websocket through novncproxy, RFB inside."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import websocket

from labctl.cloud.rfb import Picture, RfbClient
from labctl.errors import BadInput, CloudCheckFailed
from labctl.files import private_folder

# No proxy, whatever the environment says: the address exists on this machine only. websocket-client looks at the list
# of exceptions only when it is given a proxy as well.
_NO_PROXY = {"http_proxy_host": "unused", "http_no_proxy": ["*"]}
_REMEDY = "`labctl logs` of nova-novncproxy says why; its token check asks nova's cell database."


def websocket_url(console_url: str) -> str:
    """The websocket behind the page that nova names.

    Nova hands out `http://HOST:6080/vnc_lite.html?path=%3Ftoken%3DTOKEN` (since Stein), or `...?token=TOKEN` before.

    Args:
        console_url: What the compute API returned for a console of type novnc.

    Raises:
        CloudCheckFailed: There is no token in it.
    """
    parts = urlsplit(console_url)
    query = parse_qs(parts.query)
    path = query["path"][0].lstrip("/") if "path" in query else ""
    if not path and "token" in query:
        path = f"?token={query['token'][0]}"
    if "token=" not in path:
        raise CloudCheckFailed("The console's URL has no token.", evidence=(console_url,), remedy=_REMEDY)
    return f"{'wss' if parts.scheme == 'https' else 'ws'}://{parts.netloc}/{path}"


class _WebsocketStream:
    """Bytes over a websocket's binary frames, whose borders mean nothing to RFB."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket = socket
        self._buffer = bytearray()

    def read(self, size: int) -> bytes:
        while len(self._buffer) < size:
            # An empty frame is no end: nova's proxy sends one after the security handshake that it plays to the client.
            opcode, data = self._socket.recv_data()
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                raise websocket.WebSocketConnectionClosedException("closed by novncproxy")
            self._buffer += data
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def write(self, data: bytes) -> None:
        self._socket.send_binary(data)


@contextmanager
def open_console(console_url: str, timeout: float, ca_file: str | None = None) -> Iterator[RfbClient]:
    """Opens the console and has the RFB handshake done.

    Args:
        console_url: What the compute API returned.
        timeout: Seconds for the connection, and for each read.
        ca_file: The certificate of the authority that the proxy's is issued by; None where it speaks no TLS.

    Raises:
        CloudCheckFailed: novncproxy is not there, refuses the token, or what lies behind is no VNC server.
    """
    url = websocket_url(console_url)
    try:
        socket = websocket.create_connection(
            url,
            timeout=timeout,
            subprotocols=["binary"],
            sslopt={"ca_certs": ca_file} if ca_file else None,
            **_NO_PROXY,
        )
        try:
            yield RfbClient(_WebsocketStream(socket))
        finally:
            # Not close(): it waits three seconds for an answer that novncproxy does not give.
            socket.shutdown()
    except (websocket.WebSocketException, OSError) as error:
        raise CloudCheckFailed(
            "The server's console cannot be reached through novncproxy.",
            evidence=(f"{urlsplit(url).netloc}: {type(error).__name__}: {error}",),
            remedy=_REMEDY,
        ) from error


def write_png(picture: Picture, path: Path) -> None:
    """Writes the picture as PNG; the folder is made.

    Raises:
        BadInput: The file cannot be written.
    """
    from PIL import Image

    try:
        private_folder(path.parent)
        Image.frombytes("RGB", (picture.width, picture.height), picture.rgb).save(path, format="PNG")
    except OSError as error:
        raise BadInput(f"The picture of the console cannot be written to {path}.", evidence=(str(error),)) from error
