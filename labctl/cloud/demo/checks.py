"""What a running server must do: answer, let its owner in, know who it is, show its console, reach its neighbours."""

import json
import time
from pathlib import Path

from labctl.cloud.connection import api_errors, trusted_file
from labctl.cloud.console import open_console, write_png
from labctl.cloud.demo.context import Context
from labctl.cloud.demo.network import Addresses
from labctl.cloud.demo.servers import Server, circumstances, console_tail
from labctl.cloud.rfb import Picture
from labctl.cloud.ssh import GuestShell, try_login
from labctl.cloud.waiting import Pending
from labctl.errors import CloudCheckFailed
from labctl.events import step

METADATA_URL = "http://169.254.169.254/openstack/latest/meta_data.json"

_SSH_SECONDS = 120.0
_CONNECT_SECONDS = 3.0
_COMMAND_SECONDS = 30.0
_PING_SECONDS = 20.0
_CONSOLE_SECONDS = 30.0
_NETWORK_LOGS = (
    "`labctl logs` of the network node's l3, dhcp and metadata agents; `labctl status` for what is unhealthy."
)


def log_in(context: Context, server: Server, addresses: Addresses) -> tuple[GuestShell, float]:
    """Logs in over the floating IP, and sees that the guest has taken the server's name.

    The ping comes after: an emulated guest and the pings of a waiting host would compete for the same few cores. When
    no login succeeds, one ping is part of the evidence.

    Args:
        context: The run.
        server: Whom to log in to.
        addresses: Of the server.

    Returns:
        The open login, and the seconds from the start of the demo until then.

    Raises:
        CloudCheckFailed: No login in time, or the guest has another name.
    """
    guest = context.target.guest

    def attempt() -> GuestShell | Pending:
        return try_login(addresses.floating, guest.user, context.key, _CONNECT_SECONDS)

    def evidence_when_late() -> tuple[str, ...]:
        rtt = context.ping(addresses.floating)
        answer = "no answer" if rtt is None else f"{rtt:.1f} ms"
        return (f"ping {addresses.floating} from the host: {answer}", *circumstances(context, server.id))

    with step(context.emit, f"ssh {guest.user}@{addresses.floating}") as evidence:
        shell = context.wait(
            attempt,
            f"a login to {server.name} at {addresses.floating}",
            _SSH_SECONDS,
            0.3,
            remedy=_NETWORK_LOGS,
            evidence=evidence_when_late,
        )
        seconds = time.monotonic() - context.began
        try:
            hostname = _hostname(context, shell, server)
        except BaseException:
            shell.close()
            raise
        evidence.text = f"logged in {seconds:.1f} s after the start; hostname {hostname}"
    return shell, seconds


def _hostname(context: Context, shell: GuestShell, server: Server) -> str:
    def ask() -> str | Pending:
        said = shell.run("hostname", _COMMAND_SECONDS)
        name = said.stdout.strip()
        # Some guests let one in before they have finished with the metadata.
        return name if name.partition(".")[0] == server.name else Pending(f"the guest calls itself {name!r}")

    return context.wait(ask, f"the guest to take the name {server.name}", 15, remedy=_NETWORK_LOGS)


def ping_from_host(context: Context, server: Server, addresses: Addresses) -> float:
    """Pings the floating IP from the host.

    Returns:
        The round trip in milliseconds.

    Raises:
        CloudCheckFailed: Nothing came back in time.
    """
    with step(context.emit, f"Ping {addresses.floating} from the host") as evidence:

        def attempt() -> float | Pending:
            rtt = context.ping(addresses.floating)
            return Pending("no answer") if rtt is None else rtt

        rtt = context.wait(
            attempt,
            f"an answer from {addresses.floating}",
            _PING_SECONDS,
            1.0,
            remedy=_NETWORK_LOGS,
            evidence=lambda: circumstances(context, server.id),
        )
        evidence.text = f"{rtt:.1f} ms"
        return rtt


def read_metadata(context: Context, shell: GuestShell, server: Server) -> None:
    """Reads the metadata inside the guest; it must be this server's.

    Raises:
        CloudCheckFailed: It cannot be read, or is another server's.
    """
    with step(context.emit, f"Metadata inside {server.name}") as evidence:
        # Tiny guests have one of the two.
        said = shell.run(f"curl -s {METADATA_URL} || wget -q -O - {METADATA_URL}", _COMMAND_SECONDS)
        try:
            uuid = json.loads(said.stdout)["uuid"]
        except (ValueError, KeyError, TypeError) as error:
            raise CloudCheckFailed(
                f"The metadata service gave {server.name} nothing of use.",
                evidence=said.lines(),
                remedy="`labctl logs` of the metadata agent on the network node, and of nova-metadata.",
            ) from error
        if uuid != server.id:
            raise CloudCheckFailed(
                f"The metadata service gave {server.name} another server's metadata.",
                evidence=(f"uuid {uuid}, the server's is {server.id}",),
            )
        evidence.text = f"uuid {uuid}"


def ping_neighbour(context: Context, shell: GuestShell, source: Server, target: Server, addresses: Addresses) -> str:
    """Pings another server's fixed address from inside a guest: from node to node through the VXLAN.

    Returns:
        "demo-1 -> demo-2 (172.16.1.9): 3 of 3".

    Raises:
        CloudCheckFailed: Nothing came back.
    """
    with step(context.emit, f"Ping {target.name} from {source.name}") as evidence:
        said = shell.run(f"ping -c 3 -W 5 {addresses.fixed}", _COMMAND_SECONDS)
        if said.status != 0:
            raise CloudCheckFailed(
                f"{source.name} cannot reach {target.name} over the self-service network.",
                evidence=(*said.lines(), *circumstances(context, target.id)),
                remedy="`labctl logs` of the linuxbridge agents on both nodes: VXLAN is theirs.",
            )
        summary = [line.strip() for line in said.stdout.splitlines() if "min/avg/max" in line or "packets" in line]
        text = f"{source.name} -> {target.name} ({addresses.fixed}): {summary[-1] if summary else 'answered'}"
        evidence.text = text
        return text


def read_console_log(context: Context, server: Server) -> tuple[str, ...]:
    """Reads the serial console's log until the guest has come to its login prompt.

    Returns:
        Its last lines.

    Raises:
        CloudCheckFailed: Neither prompt nor name came up.
    """
    with step(context.emit, f"Console log of {server.name}") as evidence:

        def look() -> tuple[str, ...] | Pending:
            lines = console_tail(context, server.id, 20)
            done = any(context.target.guest.login_prompt in line or server.name in line for line in lines)
            return lines if done else Pending(f"last line: {lines[-1]!r}" if lines else "the log is empty")

        lines = context.wait(
            look,
            f"the login prompt in the console log of {server.name}",
            _CONSOLE_SECONDS,
            0.5,
            remedy="`labctl logs` of the node's nova-compute; it needs libvirt's /dev/pts to read the log.",
        )
        evidence.text = lines[-1].strip()
        return lines


def photograph_console(context: Context, server: Server, path: Path) -> str:
    """Opens the server's screen through noVNC's proxy and writes a picture of it.

    Returns:
        The URL for a browser.

    Raises:
        CloudCheckFailed: No way to the screen, or it stays blank.
        BadInput: The picture cannot be written.
    """
    with step(context.emit, f"noVNC console of {server.name}") as evidence:
        with api_errors("create a noVNC console"):
            console = context.user.compute.create_console(server.id, "novnc")
        url = str(console["url"])
        with open_console(url, timeout=15, ca_file=trusted_file(context.user)) as screen:

            def look() -> Picture | Pending:
                picture = screen.picture()
                return picture if picture.colours() > 1 else Pending("the whole screen has one colour")

            picture = context.wait(look, f"something on the screen of {server.name}", _CONSOLE_SECONDS, 0.5)
        write_png(picture, path)
        evidence.text = f"{picture.width}x{picture.height}, {picture.colours()} colours, {path}"
        return url
