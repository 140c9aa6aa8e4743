"""Guest images of the user's own; and the one of labctl, taken out of its image once."""

import hashlib
import json
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from labctl.build import guest
from labctl.build.guest import export_guest, fetch, other_guest
from labctl.errors import BadInput
from labctl.events import Event
from labctl.lab.guests import file_name, guest_refusal

EVENTS: list[Event] = []


@pytest.mark.parametrize(
    ("name", "user", "disk_format"),
    [
        ("cirros-0.6.2-x86_64-disk.img", "cirros", "qcow2"),
        ("debian-12-generic.qcow2", "debian", "qcow2"),
        ("ubuntu.raw", "ubuntu", "raw"),
    ],
)
def test_a_guest_that_is_known_needs_no_user(tmp_path: Path, name: str, user: str, disk_format: str) -> None:
    path = tmp_path / name
    path.touch()
    found = other_guest(str(path), None, None, tmp_path / "cache", EVENTS.append)
    assert (found.path, found.user, found.disk_format) == (path, user, disk_format)
    assert found.name == path.stem


def test_the_user_that_is_given_counts(tmp_path: Path) -> None:
    path = tmp_path / "cirros.img"
    path.touch()
    assert other_guest(str(path), "me", None, tmp_path, EVENTS.append).user == "me"


def test_a_guest_that_nobody_is_known_to_log_in_to_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.qcow2"
    path.touch()
    with pytest.raises(BadInput, match=r"Who logs in to mine\.qcow2") as caught:
        other_guest(str(path), None, None, tmp_path, EVENTS.append)
    assert "guest_user" in caught.value.remedy


def test_a_guest_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no guest image"):
        other_guest(str(tmp_path / "cirros.img"), None, None, tmp_path, EVENTS.append)


def test_a_file_is_taken_with_its_checksum_only(tmp_path: Path) -> None:
    path = tmp_path / "cirros.img"
    path.write_bytes(DISK)
    assert other_guest(str(path), None, SUM, tmp_path, EVENTS.append).path == path
    with pytest.raises(BadInput, match="does not have its guest_sha256"):
        other_guest(str(path), None, "0" * 64, tmp_path, EVENTS.append)


def test_an_address_that_does_not_answer_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    # Port 9 of this machine itself: nothing listens there, and nothing leaves the machine.
    with pytest.raises(BadInput, match="cannot be fetched"):
        fetch("http://127.0.0.1:9/cirros.img", SUM, tmp_path / "cache", EVENTS.append)
    assert files_of(tmp_path) == []


DISK = bytes(range(256)) * 400
SUM = hashlib.sha256(DISK).hexdigest()


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


class Server(BaseHTTPRequestHandler):
    """Gives the disk, or sends somewhere else, as the path says."""

    def do_GET(self) -> None:
        """Answers."""
        to = {
            "/away": "http://127.0.0.1:9/x",
            "/loop": "/loop",
            "/file": "file:///etc/passwd",
            "/around": "/cirros.img",
        }
        self.send_response(302 if self.path in to else 404 if self.path == "/none" else 200)
        if self.path in to:
            self.send_header("Location", to[self.path])
        self.end_headers()
        if self.path == "/endless":
            with suppress(OSError):
                while True:
                    self.wfile.write(DISK)
        elif self.path not in to:
            self.wfile.write(DISK)

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Server) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_a_guest_is_fetched_once_and_kept_for_this_user(address: str, tmp_path: Path) -> None:
    cache = tmp_path / "state" / "guests"
    found = other_guest(f"{address}/cirros.img", None, SUM, cache, EVENTS.append)
    assert found.path.read_bytes() == DISK
    assert files_of(tmp_path) == [found.path]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (found.path.parent, cache, cache.parent)} == {0o700}
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o600
    found.path.write_bytes(b"kept")
    assert fetch(f"{address}/cirros.img", SUM, cache, EVENTS.append).read_bytes() == b"kept"
    assert fetch(f"{address}/around", SUM, cache, EVENTS.append).read_bytes() == DISK


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/none", "404"),
        ("/away", "refused"),
        ("/loop", "somewhere else 5 times"),
        ("/file", "begins with https"),
        ("/endless", "more than"),
    ],
)
def test_what_gives_no_image_is_refused_and_leaves_nothing(
    address: str, tmp_path: Path, path: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest, "MOST_BYTES", 1 << 20)
    with pytest.raises(BadInput, match="cannot be fetched") as caught:
        fetch(address + path, SUM, tmp_path / "cache", EVENTS.append)
    assert why in caught.value.evidence[0]
    assert files_of(tmp_path) == []


def test_another_image_than_the_checksum_says_is_refused_and_leaves_nothing(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be fetched") as caught:
        fetch(f"{address}/cirros.img", "0" * 64, tmp_path, EVENTS.append)
    assert SUM in caught.value.evidence[0]
    assert files_of(tmp_path) == []


def test_plain_http_is_asked_for_by_the_checksum(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        fetch("http://example.org/cirros.img", None, tmp_path, EVENTS.append)
    assert "guest_sha256" in caught.value.evidence[0]
    assert guest_refusal("https://example.org/cirros.img", None) == ""


BAD_ADDRESSES = [
    *("http://", "https://", "https:///x", "http://[::1/x", "https://[x]/x", "https://x:y/", "https://x:99999/x"),
    *(
        "ftp://x/y",
        "file:///etc/shadow",
        "https://x:0/x",
        "https://a b/",
        "https://x/\n",
        "https://\ud800/",
        "https://ä/",
    ),
    *("https://x/" + "y" * 2000, "://", "https://x/\0", "https://?", "https://@/x"),
]


@pytest.mark.parametrize("bad", BAD_ADDRESSES, ids=ascii)
def test_a_bad_address_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(BadInput):
        other_guest(bad, "x", SUM, tmp_path, EVENTS.append)
    assert files_of(tmp_path) == []


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://x/a/cirros.img?x=1#y", "cirros.img"),
        ("https://x/..", "image"),
        ("https://x/a/../..", "image"),
        ("https://x/", "image"),
        ("https://x", "image"),
        ("https://x/%2e%2e%2fy", "2e_2e_2fy"),
        ("https://x/.hidden", "hidden"),
        ("https://x/" + "y" * 500 + ".qcow2", "y" * 94 + ".qcow2"),
    ],
)
def test_what_is_fetched_has_a_name_that_stays_in_its_folder(address: str, name: str) -> None:
    assert file_name(address) == name


@pytest.fixture
def copied(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An engine that has one image, with a guest in it; the references of images that files were copied out of."""
    copied = []
    facts = {"user": "lab", "min_ram_mb": 64, "properties": {"hw_rng_model": "virtio"}}

    def copy_out(reference: str, names: Iterable[str], folder: Path) -> None:
        copied.append(reference)
        contents = {"guest.qcow2": "disk", "guest.json": json.dumps(facts)}
        for name in names:
            (folder / name).write_text(contents[name])

    monkeypatch.setattr(guest, "image_id", {"labctl/guest:there": "sha256:" + "ab" * 32}.get)
    monkeypatch.setattr(guest, "copy_out", copy_out)
    return copied


def test_the_guest_is_taken_out_of_its_image_once(tmp_path: Path, copied: list[str]) -> None:
    found = export_guest("labctl/guest:there", tmp_path / "guests")
    assert found.path.read_text() == "disk"
    assert (found.user, found.min_ram, found.disk_format) == ("lab", 64, "qcow2")
    assert export_guest("labctl/guest:there", tmp_path / "guests") == found
    assert copied == ["labctl/guest:there"]


def test_a_guest_that_is_not_built_is_said_to_be_so(tmp_path: Path, copied: list[str]) -> None:
    with pytest.raises(BadInput, match="not built yet") as caught:
        export_guest("labctl/guest:gone", tmp_path / "guests")
    assert caught.value.remedy == "Run `labctl build guest`."
    assert copied == []
