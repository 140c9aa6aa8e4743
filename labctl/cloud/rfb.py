"""A small RFB (VNC) client: one picture of a screen. Source: RFC 6143, protocol version 3.8."""

import re
import struct
from dataclasses import dataclass
from typing import Protocol

from labctl.errors import CloudCheckFailed

_VERSION = b"RFB 003.008\n"
_SECURITY_NONE = 1
_RAW = 0
# 32 bits, depth 24, little endian, true colour, 8 bits each with red at bit 16: a pixel is the bytes B, G, R, unused.
_PIXEL_FORMAT = struct.pack("!BBBBHHHBBB3x", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
_PIXEL_BYTES = 4
_LONGEST_TEXT = 1 << 20
_MESSAGES_PER_PICTURE = 1000


class ByteStream(Protocol):
    """What RFB is spoken over."""

    def read(self, size: int) -> bytes:
        """Returns exactly `size` bytes, or raises."""

    def write(self, data: bytes) -> None:
        """Sends all of the data."""


@dataclass(frozen=True)
class Picture:
    """A screen's content.

    Attributes:
        width: Pixels.
        height: Pixels.
        rgb: Three bytes for each pixel, row by row from the top left.
    """

    width: int
    height: int
    rgb: bytes

    def colours(self) -> int:
        """How many different colours there are; a blank picture has one."""
        return len(set(zip(self.rgb[0::3], self.rgb[1::3], self.rgb[2::3], strict=True)))


class RfbClient:
    """Speaks RFB as a client that wants no password and understands the Raw encoding only.

    Args:
        stream: An open connection on which nothing has been read.

    Attributes:
        name: What the server calls the screen.
        width: Pixels.
        height: Pixels.

    Raises:
        CloudCheckFailed: The other end does not speak RFB 3.8, or wants a password.
    """

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._agree_version()
        self._agree_security()
        self._stream.write(b"\x01")  # ClientInit: share the screen with others who look at it
        self.width, self.height = struct.unpack("!HH", stream.read(4))
        stream.read(16)  # the server's own pixel format; ours replaces it below
        self.name = self._text("screen's name").decode("utf-8", "replace")
        if not self.width or not self.height:
            raise _broken("the screen has no size", f"{self.width} x {self.height}")
        stream.write(struct.pack("!B3x", 0) + _PIXEL_FORMAT)  # SetPixelFormat
        stream.write(struct.pack("!BxHi", 2, 1, _RAW))  # SetEncodings

    def picture(self) -> Picture:
        """Asks for the whole screen and reads until every pixel has come.

        Raises:
            CloudCheckFailed: The server sent what was not asked for.
        """
        self._stream.write(struct.pack("!BBHHHH", 3, 0, 0, 0, self.width, self.height))
        canvas = bytearray(self.width * self.height * 3)
        covered = bytearray(self.width * self.height)
        for _ in range(_MESSAGES_PER_PICTURE):
            self._message(canvas, covered)
            if 0 not in covered:
                return Picture(self.width, self.height, bytes(canvas))
        raise _broken("the screen did not come", f"{covered.count(0)} pixels missing")

    def _agree_version(self) -> None:
        greeting = self._stream.read(12)
        match = re.fullmatch(rb"RFB (\d{3})\.(\d{3})\n", greeting)
        if match is None or (int(match[1]), int(match[2])) < (3, 8):
            raise _broken("it greets as no RFB server of version 3.8", repr(greeting))
        self._stream.write(_VERSION)

    def _agree_security(self) -> None:
        count = self._stream.read(1)[0]
        if count == 0:
            raise _broken("it refuses the connection", self._text("reason").decode("utf-8", "replace"))
        kinds = self._stream.read(count)
        if _SECURITY_NONE not in kinds:
            raise _broken("it wants a password", f"security types offered: {list(kinds)}")
        self._stream.write(bytes([_SECURITY_NONE]))
        (result,) = struct.unpack("!I", self._stream.read(4))
        if result:
            raise _broken("it refuses the connection", self._text("reason").decode("utf-8", "replace"))

    def _text(self, what: str) -> bytes:
        (length,) = struct.unpack("!I", self._stream.read(4))
        if length > _LONGEST_TEXT:
            raise _broken(f"the {what} is absurdly long", f"{length} bytes")
        return self._stream.read(length) if length else b""

    def _message(self, canvas: bytearray, covered: bytearray) -> None:
        kind = self._stream.read(1)[0]
        if kind == 0:  # FramebufferUpdate
            (count,) = struct.unpack("!xH", self._stream.read(3))
            for _ in range(count):
                self._rectangle(canvas, covered)
        elif kind == 1:  # SetColourMapEntries: no concern of a true colour client
            _, count = struct.unpack("!xHH", self._stream.read(5))
            self._stream.read(6 * count)
        elif kind == 3:  # ServerCutText
            self._stream.read(3)
            self._text("clipboard")
        elif kind != 2:  # 2 is Bell, which has no content
            raise _broken("it sent a message of an unknown kind", f"kind {kind}")

    def _rectangle(self, canvas: bytearray, covered: bytearray) -> None:
        x, y, width, height, encoding = struct.unpack("!HHHHi", self._stream.read(12))
        if encoding != _RAW:
            raise _broken("it sent an encoding that was not asked for", f"encoding {encoding}")
        if x + width > self.width or y + height > self.height:
            raise _broken("a rectangle lies outside of the screen", f"{width}x{height}+{x}+{y}")
        if not width or not height:
            return
        raw = self._stream.read(width * height * _PIXEL_BYTES)
        rgb = bytearray(width * height * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = raw[2::4], raw[1::4], raw[0::4]
        for row in range(height):
            start = (y + row) * self.width + x
            canvas[start * 3 : (start + width) * 3] = rgb[row * width * 3 : (row + 1) * width * 3]
            covered[start : start + width] = b"\x01" * width


def _broken(what: str, evidence: str) -> CloudCheckFailed:
    return CloudCheckFailed(
        f"The console's VNC server cannot be used: {what}.",
        evidence=(evidence,),
        remedy="`labctl logs` of nova-novncproxy and of the node's libvirt say more.",
    )
