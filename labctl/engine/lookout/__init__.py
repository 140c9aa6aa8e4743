"""Watchers in nodes and beside the host's network: they look at kernels, capture frames and send probes.

A watcher is one process (`watcher.py`) in a container that is there anyway, the node's holder, or in a short-lived one
with the host's network. It is asked line by line, so that all watch before anything is sent.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from labctl.engine.labels import LAB_LABEL
from labctl.engine.process import Conversation, conversation
from labctl.engine.short_lived import docker_run
from labctl.errors import EngineRefused

PYTHON = "/opt/openstack/bin/python3"
# What follows the program on its standard input is left for the program to read.
READ_PROGRAM = "import sys; exec(sys.stdin.read(int(sys.stdin.readline())))"


@dataclass(frozen=True)
class WatchedDevice:
    """A device to watch.

    Attributes:
        number: What its frames are known by.
        namespace: Its network namespace; empty on the host.
        device: Its name.
        is_bridge: Whether it only sees what is for others when it is told to.
    """

    number: int
    namespace: str
    device: str
    is_bridge: bool = False


@dataclass(frozen=True)
class Frame:
    """A frame that a device has seen.

    Attributes:
        number: The device's.
        at: When, in seconds since the epoch.
        leaves: Whether the device sent it; else it received it.
        data: The frame, from its Ethernet header.
    """

    number: int
    at: float
    leaves: bool
    data: bytes


@dataclass(frozen=True)
class Captured:
    """What was captured, and how many frames a device had no room for, by its number."""

    frames: tuple[Frame, ...]
    lost: Mapping[int, int]


class Watcher:
    """One watcher."""

    def __init__(self, talk: Conversation) -> None:
        self._talk = talk

    def look(self, namespaces: tuple[str, ...]) -> dict[str, str]:
        """What the kernel says of namespaces, as `watcher.py` collects it; those that are not there are left out."""
        return dict(self._ask("look", namespaces=namespaces)["namespaces"])

    def watch(self, devices: tuple[WatchedDevice, ...], marks: tuple[bytes, ...]) -> dict[int, str]:
        """Begins to watch; returns why it cannot, by number.

        Args:
            devices: What to watch.
            marks: Frames are kept that hold one of them.
        """
        answer = self._ask("watch", points=[vars(one) for one in devices], marks=[mark.hex() for mark in marks])
        return {int(number): str(reason) for number, reason in answer["missing"]}

    def send_as_guest(self, namespace: str, tap: str, frames: tuple[bytes, ...]) -> None:
        """Sends frames as if the guest at a tap had sent them."""
        self._ask("send", namespace=namespace, tap=tap, frames=[frame.hex() for frame in frames])

    def send(self, packets: tuple[bytes, ...], target: str) -> str:
        """Sends IP packets from the host; returns why its kernel would not."""
        answer = self._ask("send", tap="", frames=[packet.hex() for packet in packets], to=target)
        return str(answer.get("refused", ""))

    def wait(self, number: int, mark: bytes, leaves: bool, seconds: float) -> bytes | None:
        """Waits until a device has seen a frame with a mark in one direction; returns the first, or None in the end."""
        answer = self._ask("wait", number=number, mark=mark.hex(), leaves=leaves, seconds=seconds)
        return bytes.fromhex(answer["frame"]) if answer["frame"] else None

    def stop(self) -> Captured:
        """Ends the watch."""
        answer = self._ask("stop")
        frames = (Frame(number, at, leaves, bytes.fromhex(data)) for number, at, leaves, data in answer["frames"])
        return Captured(tuple(frames), {int(number): lost for number, lost in answer["lost"].items()})

    def _ask(self, order: str, **values: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._talk.ask({"do": order, **values})
        if "error" in answer:
            raise EngineRefused(f"A watcher could not {order}.", evidence=[str(answer["error"])])
        return answer


@contextmanager
def node_watcher(container: str) -> Iterator[Watcher]:
    """A watcher in a node.

    Args:
        container: A container of the node, of the agents' image.

    Raises:
        CommandFailed: The container does not run.
    """
    with _watcher(["docker", "exec", "--interactive", container, PYTHON, "-c", READ_PROGRAM]) as watcher:
        yield watcher


@contextmanager
def host_watcher(image: str, lab: str) -> Iterator[Watcher]:
    """A watcher in the host's network namespace, which it may look at and send from, and no more.

    Args:
        image: The agents' image.
        lab: Whose container it is.

    Raises:
        CommandFailed: The container does not run.
    """
    command = docker_run("--interactive", "--network", "host", "--read-only", "--user", "0:0")
    command += ["--cap-drop", "ALL", "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW"]
    command += ["--label", f"{LAB_LABEL}={lab}", "--entrypoint", PYTHON, image, "-c", READ_PROGRAM]
    with _watcher(command) as watcher:
        yield watcher


@contextmanager
def _watcher(command: list[str]) -> Iterator[Watcher]:
    program = (files(__name__) / "watcher.py").read_text()
    with conversation(command) as talk:
        talk.say(f"{len(program)}\n{program}")
        yield Watcher(talk)
