"""An RFB server that plays a written part: what QEMU and novncproxy say, and what they might."""

import struct
from dataclasses import dataclass, field

RED, BLUE = (255, 0, 0), (0, 0, 255)
Colour = tuple[int, int, int]


def greeting(*, version: bytes = b"RFB 003.008\n", kinds: bytes = b"\x01", result: int = 0) -> bytes:
    reason = struct.pack("!I", 7) + b"no way!" if result else b""
    return version + bytes([len(kinds)]) + kinds + struct.pack("!I", result) + reason


def server_init(width: int, height: int, name: bytes = b"QEMU (instance-1)") -> bytes:
    return struct.pack("!HH16xI", width, height, len(name)) + name


def raw(x: int, y: int, width: int, height: int, colour: Colour) -> bytes:
    red, green, blue = colour
    return struct.pack("!HHHHi", x, y, width, height, 0) + bytes([blue, green, red, 0]) * (width * height)


def update(*rectangles: bytes) -> bytes:
    return struct.pack("!BxH", 0, len(rectangles)) + b"".join(rectangles)


@dataclass
class Script:
    """A byte stream whose other end says everything at once, and remembers what it was told."""

    says: bytes
    heard: bytearray = field(default_factory=bytearray)

    def read(self, size: int) -> bytes:
        if size > len(self.says):
            raise ConnectionError(f"asked for {size} bytes, {len(self.says)} left")
        taken, self.says = self.says[:size], self.says[size:]
        return taken

    def write(self, data: bytes) -> None:
        self.heard += data
