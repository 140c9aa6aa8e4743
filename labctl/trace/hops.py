"""What a path is made of."""

from dataclasses import dataclass, replace
from enum import StrEnum
from ipaddress import IPv4Address

from labctl.trace.kernel import Place


class Kind(StrEnum):
    """What a hop is."""

    TAP = "tap"
    BRIDGE = "bridge"
    GROUP = "security group"
    VXLAN = "vxlan"
    NIC = "nic"
    FILTER = "filter"
    ROUTER = "router"
    NAT = "nat"
    END = "end"


WATCHED = frozenset({Kind.TAP, Kind.BRIDGE, Kind.VXLAN, Kind.NIC, Kind.ROUTER, Kind.END})
"""The kinds that are devices, and see packets."""


@dataclass(frozen=True)
class Addresses:
    """Where a packet comes from and where it goes, at some hop."""

    source: IPv4Address
    target: IPv4Address

    @property
    def back(self) -> "Addresses":
        """Those of the answer."""
        return Addresses(self.target, self.source)

    def __str__(self) -> str:
        """As tcpdump writes it."""
        return f"{self.source} > {self.target}"


@dataclass(frozen=True)
class Hop:
    """A step of the way there; the way back is the same in reverse.

    Attributes:
        name: What it is, for people.
        kind: Likewise, for programs.
        place: Where it is.
        device: The device that sees the packet; of a filter or a translation, that which the packet is on.
        leaves: Whether, on the way there, the device sends the packet; else it receives it.
        addresses: The packet's, on the way there.
        vni: The VXLAN that it is in, where the packet is wrapped.
        port: The id of neutron's port that this belongs to.
        bridge: The bridge, of a security group's hop.
    """

    name: str
    kind: Kind
    place: Place
    device: str
    leaves: bool
    addresses: Addresses
    vni: int | None = None
    port: str = ""
    bridge: str = ""

    @property
    def is_watched(self) -> bool:
        """Whether it is a device, and sees packets."""
        return self.kind in WATCHED

    def leaves_on(self, way_back: bool) -> bool:
        """Whether the device sends the packet on that way; a bridge itself only ever receives what it is shown."""
        return self.leaves if self.kind is Kind.BRIDGE or not way_back else not self.leaves


@dataclass(frozen=True)
class Origin:
    """Where the probe is sent.

    Attributes:
        place: Where.
        tap: The tap that it comes in by, as if its guest had sent it; empty on the host.
        mac: The guest's MAC address.
        next_mac: The MAC address of the next hop; empty where only ARP tells.
        next_address: The address of the next hop.
    """

    place: Place
    tap: str = ""
    mac: str = ""
    next_mac: str = ""
    next_address: IPv4Address | None = None


@dataclass(frozen=True)
class Path:
    """The way that a packet should take.

    Attributes:
        title: From where to where, for people.
        origin: Where it begins.
        hops: Its steps, in order.
        addresses: The packet's at its start.
        mtu: The largest packet for all of it, as neutron says.
    """

    title: str
    origin: Origin
    hops: tuple[Hop, ...]
    addresses: Addresses
    mtu: int

    def to_neighbour(self) -> "Path":
        """The part of it that an ARP request of the sender's takes: to the first router, or to the end."""
        routers = (index for index, hop in enumerate(self.hops) if hop.kind is Kind.ROUTER)
        last = next(routers, len(self.hops) - 1)
        asks = Addresses(self.addresses.source, self.origin.next_address or self.addresses.target)
        return replace(self, hops=tuple(replace(hop, addresses=asks) for hop in self.hops[: last + 1]), addresses=asks)

    @property
    def leads_away(self) -> bool:
        """Whether it ends where nobody watches any more: on the host's way out."""
        last = self.hops[-1]
        return last.kind is Kind.END and last.leaves

    @property
    def watched(self) -> tuple[tuple[int, Hop], ...]:
        """The hops that see packets, with their numbers from 1."""
        return tuple((number, hop) for number, hop in enumerate(self.hops, 1) if hop.is_watched)
