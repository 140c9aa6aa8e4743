"""What the demo is run against, and what it found: values only, so the CLI can name them without openstacksdk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

Ping = Callable[[IPv4Address], float | None]
"""Sends one ICMP echo request from the host; the round trip in milliseconds, or None when nothing came back."""


@dataclass(frozen=True)
class GuestImage:
    """The guest that the demo boots.

    Attributes:
        name: Of the image in glance.
        path: The file on this machine.
        user: Who logs in over ssh; must have a POSIX shell, `hostname`, `ping`, and `curl` or `wget`.
        min_ram: MB that it needs to boot.
        disk_format: As glance calls it.
        login_prompt: What its serial console ends with once it is up.
        properties: Of the image in glance, such as the device models that the guest works best with.
    """

    name: str
    path: Path
    user: str
    min_ram: int
    disk_format: str = "qcow2"
    login_prompt: str = "login:"
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoTarget:
    """A lab, as far as the demo has to know it.

    Attributes:
        lab: Its name; its clouds.yaml describes the clouds `lab` (user demo) and `lab`-admin.
        clouds_yaml: That file.
        gateway_address: The host's address in the lab's management network, where the APIs listen.
        provider_network: The range behind the physical network `provider`.
        provider_gateway: The host's address in it.
        floating_pool: First and last address for router gateways and floating IPs.
        mtu: Bytes that a packet may have in the provider network.
        nodes: The compute nodes' host names.
        guest: What to boot.
        dns: Name servers for the guests.
    """

    lab: str
    clouds_yaml: Path
    gateway_address: IPv4Address
    provider_network: IPv4Network
    provider_gateway: IPv4Address
    floating_pool: tuple[IPv4Address, IPv4Address]
    mtu: int
    nodes: tuple[str, ...]
    guest: GuestImage
    dns: tuple[IPv4Address, ...] = ()

    @property
    def user_cloud(self) -> str:
        """The cloud of the user demo in clouds.yaml."""
        return self.lab

    @property
    def admin_cloud(self) -> str:
        """The cloud of the admin in clouds.yaml."""
        return f"{self.lab}-admin"


@dataclass(frozen=True)
class GuestReport:
    """One server that came up and was logged in to.

    Attributes:
        name: Of the server, and inside of it.
        node: The compute node that it runs on.
        fixed_ip: Its address in the self-service network.
        floating_ip: Its address for the host.
        seconds_to_ssh: From the start of the demo to the login.
        ping_ms: Round trip from the host to the floating IP.
    """

    name: str
    node: str
    fixed_ip: IPv4Address
    floating_ip: IPv4Address
    seconds_to_ssh: float
    ping_ms: float


@dataclass(frozen=True)
class Kept:
    """How to reach what --keep left standing.

    Attributes:
        key: The private key, 0600.
        ssh_commands: One for each server.
        console_url: noVNC of the first server; good for as long as nova's console token (ten minutes).
        names: What was made, for a later removal: "server demo-ab12cd-1".
    """

    key: Path
    ssh_commands: tuple[str, ...]
    console_url: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class DemoResult:
    """What the demo showed.

    Attributes:
        guests: One for each compute node.
        seconds_to_active: From the request for the servers until all were ACTIVE.
        seconds_to_ssh: From the start of the demo to the first login over a floating IP.
        seconds: From the start to the last check, without the removal.
        crossings: Guest-to-guest pings across the VXLAN, "demo-1 -> demo-2 (172.16.1.9): 1.8 ms".
        console_tail: The last lines of the first server's console log.
        console_png: The picture of the first server's screen.
        kept: With --keep, else None.
    """

    guests: tuple[GuestReport, ...]
    seconds_to_active: float
    seconds_to_ssh: float
    seconds: float
    crossings: tuple[str, ...]
    console_tail: tuple[str, ...]
    console_png: Path
    kept: Kept | None = None
