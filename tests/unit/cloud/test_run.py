"""The whole demo with the real openstacksdk, against a cloud in a dictionary; guests and console are stand-ins."""

import contextlib
import gc
import json
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest

from labctl.cloud.demo import checks, context
from labctl.cloud.demo.run import run_demo
from labctl.cloud.demo.target import DemoResult, DemoTarget, GuestImage
from labctl.cloud.rfb import Picture
from labctl.cloud.ssh import CommandResult, SshKey
from labctl.cloud.waiting import Pending, wait_until
from labctl.errors import BadInput, CloudCheckFailed
from labctl.events import Event, Note, StepFailed, StepFinished

from .fake_cloud import FakeCloud, Refused, Serving

pytestmark = [
    # openstacksdk 4.22 warns of its own internals, by a kind of warning that Python hides by default.
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    # openstacksdk leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket"),
]


@dataclass
class Guests:
    """Logins to the fake cloud's servers, by the order of their floating IPs."""

    cloud: FakeCloud
    refused: int = 2
    uuid: str = ""
    ping_status: int = 0
    closed: int = 0

    def login(self, address: IPv4Address, user: str, key: SshKey, timeout: float) -> "Shell | Pending":
        if self.refused:
            self.refused -= 1
            return Pending("connection refused")
        ip = next(one for one in self.cloud.all("floatingips") if one["floating_ip_address"] == str(address))
        server = self.cloud.things["servers"][self.cloud.things["ports"][ip["port_id"]]["device_id"]]
        return Shell(self, server["name"], server["id"])


@dataclass
class Shell:
    guests: Guests
    name: str
    id: str

    def run(self, command: str, timeout: float) -> CommandResult:
        if command == "hostname":
            return CommandResult(command, 0, f"{self.name}\n", "")
        if "meta_data.json" in command:
            return CommandResult(command, 0, json.dumps({"uuid": self.guests.uuid or self.id}), "")
        said = "round-trip min/avg/max = 1.0/1.5/2.0 ms\n"
        return CommandResult(command, self.guests.ping_status, said, "")

    def close(self) -> None:
        self.guests.closed += 1


@dataclass
class Screen:
    shots: list[Picture] = field(
        default_factory=lambda: [Picture(2, 1, bytes(6)), Picture(2, 1, bytes([9] * 3 + [0] * 3))]
    )

    def picture(self) -> Picture:
        return self.shots.pop(0)


@dataclass
class Lab:
    cloud: FakeCloud
    guests: Guests
    target: DemoTarget
    folder: Path
    events: list[Event] = field(default_factory=list)

    def demo(self, *, keep: bool = False) -> DemoResult:
        return run_demo(
            self.target,
            ping=lambda address: 1.25,
            emit=self.events.append,
            console_png=self.folder / "console.png",
            keep_in=self.folder / "kept" if keep else None,
        )


BOTH_SIZES = pytest.mark.parametrize("lab", [1, 2], indirect=True, ids=["one node", "two nodes"])


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    nodes = tuple(f"node{n + 1}" for n in range(getattr(request, "param", 2)))
    cloud = FakeCloud(nodes)
    guests = Guests(cloud)
    serving = Serving(cloud)
    serving.write_clouds_yaml(tmp_path / "clouds.yaml", "lab")
    (tmp_path / "guest.qcow2").write_bytes(b"guest" * 100)

    @contextlib.contextmanager
    def console(url: str, timeout: float, ca_file: str | None) -> Iterator[Screen]:
        assert ca_file is None
        assert url == "http://proxy/?path=%3Ftoken%3Dt"
        yield Screen()

    def impatient(predicate: Any, what: str, timeout: float, interval: float, **options: Any) -> Any:
        return wait_until(predicate, what, timeout, interval / 50, **options)

    monkeypatch.setattr(context, "wait_until", impatient)
    monkeypatch.setattr(checks, "try_login", guests.login)
    monkeypatch.setattr(checks, "open_console", console)
    target = DemoTarget(
        lab="lab",
        clouds_yaml=tmp_path / "clouds.yaml",
        gateway_address=IPv4Address("127.0.0.1"),
        provider_network=IPv4Network("203.0.113.0/24"),
        provider_gateway=IPv4Address("203.0.113.1"),
        floating_pool=(IPv4Address("203.0.113.100"), IPv4Address("203.0.113.239")),
        mtu=1500,
        nodes=nodes,
        guest=GuestImage("guest", tmp_path / "guest.qcow2", "lab", 76),
    )
    yield Lab(cloud, guests, target, tmp_path)
    gc.collect()
    serving.close()


@BOTH_SIZES
def test_the_demo_sees_everything_and_leaves_nothing(lab: Lab) -> None:
    result = lab.demo()
    assert [guest.node for guest in result.guests] == list(lab.target.nodes)
    assert {guest.ping_ms for guest in result.guests} == {1.25}
    assert 0 < result.seconds_to_active < result.seconds
    assert 0 < result.seconds_to_ssh <= result.seconds
    assert len(result.crossings) == len(lab.target.nodes) - 1
    assert result.console_tail[-1].endswith("-1 login:")
    assert result.console_png.read_bytes().startswith(b"\x89PNG")
    assert result.kept is None
    assert lab.cloud.names() == set()
    assert lab.cloud.all("ports") == []
    assert lab.guests.closed == len(lab.target.nodes)
    assert not [event for event in lab.events if isinstance(event, StepFailed | Note)]
    assert all(event.evidence for event in lab.events if isinstance(event, StepFinished))


def test_only_what_needs_the_admin_is_done_as_admin(lab: Lab) -> None:
    lab.demo()
    made = {line for line in lab.cloud.log if " POST " in line and line.startswith("admin")}
    assert made == {
        "admin POST /network/v2.0/networks",
        "admin POST /network/v2.0/subnets",
        "admin POST /compute/v2.1/flavors",
        "admin POST /image/v2/images",
    }


def test_what_was_there_is_used_and_stays(lab: Lab) -> None:
    kept = lab.demo(keep=True).kept
    before = lab.cloud.names()
    assert kept is not None
    assert stat.S_IMODE(kept.key.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.key.parent.stat().st_mode) == 0o700
    assert len(kept.ssh_commands) == len(lab.target.nodes)
    assert f"-i {kept.key} " in kept.ssh_commands[0]
    uploads = sum("/file" in line for line in lab.cloud.log)
    assert lab.demo().kept is None
    assert lab.cloud.names() == before
    assert sum("/file" in line for line in lab.cloud.log) == uploads == 1


def test_a_server_in_error_is_told_with_novas_words_and_nothing_stays(lab: Lab) -> None:
    lab.cloud.fault = "No valid host was found."
    with pytest.raises(CloudCheckFailed, match="went to ERROR") as caught:
        lab.demo()
    assert "No valid host was found." in caught.value.evidence[0]
    assert any(line.startswith("port ") for line in caught.value.evidence)
    assert lab.cloud.names() == set()


def test_wrong_metadata_is_noticed_and_nothing_stays(lab: Lab) -> None:
    lab.guests.uuid = "another"
    with pytest.raises(CloudCheckFailed, match="another server's metadata"):
        lab.demo()
    assert lab.cloud.names() == set()
    assert lab.guests.closed >= 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/routers"), ("PUT", "/file"), ("POST", "/flavors"), ("POST", "/floatingips"), ("POST", "/servers")],
)
def test_whatever_the_api_refuses_nothing_stays(lab: Lab, method: str, path: str) -> None:
    def refuse(asked: str, where: str) -> None:
        if asked == method and where.endswith(path):
            raise Refused(400, "not today")

    lab.cloud.refuse = refuse
    with pytest.raises(CloudCheckFailed) as caught:
        lab.demo()
    assert any("not today" in line for line in caught.value.evidence)
    assert lab.cloud.names() == set()


def test_what_cannot_be_removed_is_named(lab: Lab) -> None:
    def refuse(asked: str, where: str) -> None:
        if asked == "DELETE" and "/flavors" in where:
            raise Refused(400, "stuck")

    lab.cloud.refuse = refuse
    with pytest.raises(CloudCheckFailed, match="not all that it made") as caught:
        lab.demo()
    (line,) = caught.value.evidence
    assert line.startswith("flavor demo-")
    assert "stuck" in line
    assert len(lab.cloud.names()) == 1


def test_an_interrupt_leaves_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("labctl.cloud.demo.run._report", interrupt)
    with pytest.raises(KeyboardInterrupt):
        lab.demo()
    assert lab.cloud.names() == set()


def test_a_provider_network_of_another_kind_is_explained(lab: Lab) -> None:
    fields = {"provider:network_type": "flat", "provider:physical_network": "provider", "router:external": False}
    network = lab.cloud.put("networks", name="mine", **fields)
    lab.cloud.put("subnets", network_id=network["id"], cidr="198.51.100.0/24")
    with pytest.raises(CloudCheckFailed, match="mine holds the physical network") as caught:
        lab.demo()
    assert "198.51.100.0/24" in caught.value.evidence[0]
    assert lab.cloud.names() == {"networks mine"}


def test_the_last_of_two_demos_removes_the_provider_network(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    second = Lab(lab.cloud, lab.guests, replace(lab.target), lab.folder)
    ping_once = iter([lambda: second.demo()])

    def ping_and_start_the_second(address: IPv4Address) -> float:
        for start in ping_once:
            start()
        return 1.25

    run_demo(
        lab.target,
        ping=ping_and_start_the_second,
        emit=lab.events.append,
        console_png=lab.folder / "console.png",
        keep_in=None,
    )
    (note,) = [event for event in second.events if isinstance(event, Note)]
    assert "others use it" in note.text
    assert lab.cloud.names() == set()


def test_a_guest_that_is_not_there_is_bad_input(lab: Lab) -> None:
    lab.target.guest.path.unlink()
    with pytest.raises(BadInput, match="cannot be read"):
        lab.demo()
    assert lab.cloud.names() == set()


@BOTH_SIZES
def test_guests_that_cannot_reach_each_other_are_noticed(lab: Lab) -> None:
    lab.guests.ping_status = 1
    if len(lab.target.nodes) == 1:
        assert lab.demo().crossings == ()
        return
    with pytest.raises(CloudCheckFailed, match="cannot reach"):
        lab.demo()
    assert lab.cloud.names() == set()
