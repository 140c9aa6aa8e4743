import struct

import pytest

from labctl.cloud.rfb import Picture, RfbClient
from labctl.errors import CloudCheckFailed

from .rfb_server import BLUE, RED, Script, greeting, raw, server_init, update


def talk(*messages: bytes, width: int = 4, height: int = 2) -> tuple[RfbClient, Script]:
    script = Script(greeting() + server_init(width, height) + b"".join(messages))
    return RfbClient(script), script


def test_the_handshake_says_what_the_protocol_asks_for() -> None:
    client, script = talk()
    assert (client.width, client.height, client.name) == (4, 2, "QEMU (instance-1)")
    version, security, init = bytes(script.heard[:12]), script.heard[12], script.heard[13]
    assert (version, security, init) == (b"RFB 003.008\n", 1, 1)
    set_format, set_encodings = script.heard[14:34], script.heard[34:]
    assert set_format[0] == 0
    assert struct.unpack("!BBBBHHHBBB3x", set_format[4:]) == (32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
    assert struct.unpack("!BxHi", set_encodings) == (2, 1, 0)
    assert script.says == b""


def test_a_picture_is_put_together_from_rectangles_of_several_updates() -> None:
    client, script = talk(update(raw(0, 0, 2, 2, RED)), update(raw(2, 0, 2, 1, BLUE), raw(2, 1, 2, 1, RED)))
    del script.heard[:]
    picture = client.picture()
    assert struct.unpack("!BBHHHH", script.heard) == (3, 0, 0, 0, 4, 2)
    assert picture == Picture(4, 2, bytes(RED * 2 + BLUE * 2 + RED * 4))
    assert picture.colours() == 2


def test_a_blank_picture_has_one_colour() -> None:
    client, _ = talk(update(raw(0, 0, 4, 2, BLUE)))
    assert client.picture().colours() == 1


def test_other_messages_are_read_over() -> None:
    bell, cut_text = b"\x02", struct.pack("!B3xI", 3, 5) + b"hello"
    colours = struct.pack("!BxHH", 1, 0, 2) + bytes(12)
    client, script = talk(bell, cut_text, colours, update(raw(0, 0, 0, 0, RED)), update(raw(0, 0, 4, 2, RED)))
    assert client.picture().rgb == bytes(RED * 8)
    assert script.says == b""


@pytest.mark.parametrize(
    ("says", "complaint"),
    [
        (b"HTTP/1.1 403", "RFB server"),
        (greeting(version=b"RFB 003.003\n"), "RFB server"),
        (greeting(kinds=b"\x02\x10"), "password"),
        (b"RFB 003.008\n\x00" + struct.pack("!I", 4) + b"full", "refuses"),
        (greeting(result=1), "refuses"),
        (greeting() + server_init(0, 0), "no size"),
        (greeting() + struct.pack("!HH16xI", 4, 2, 1 << 30), "absurdly long"),
    ],
)
def test_a_server_that_cannot_be_used_is_named_as_such(says: bytes, complaint: str) -> None:
    with pytest.raises(CloudCheckFailed, match=complaint) as caught:
        RfbClient(Script(says))
    assert caught.value.evidence
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (b"\x99", "unknown kind"),
        (update(raw(3, 0, 2, 2, RED)), "outside"),
        (update(struct.pack("!HHHHi", 0, 0, 4, 2, 7)), "not asked for"),
    ],
)
def test_what_was_not_asked_for_is_an_error(message: bytes, complaint: str) -> None:
    client, _ = talk(message)
    with pytest.raises(CloudCheckFailed, match=complaint):
        client.picture()


def test_refusals_carry_the_servers_own_words() -> None:
    with pytest.raises(CloudCheckFailed) as caught:
        RfbClient(Script(greeting(result=1)))
    assert caught.value.evidence == ("no way!",)
