"""What a node's kernel says of its network, read from what iproute2, iptables and ebtables print of themselves."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Link:
    """A device.

    Attributes:
        name: Its name.
        mac: Its own MAC address.
        mtu: How large a packet it takes.
        is_up: Whether it is switched on.
        master: The bridge that it is in; empty where it is in none.
        addresses: Its IPv4 addresses, with the length of the prefix.
        hairpin: Of a bridge's port: whether frames leave by it that came in by it.
    """

    name: str
    mac: str
    mtu: int
    is_up: bool
    master: str = ""
    addresses: tuple[str, ...] = ()
    hairpin: bool = False


@dataclass(frozen=True)
class Learned:
    """An entry of a bridge's forwarding table.

    Attributes:
        mac: A MAC address.
        device: The port that it is behind.
        bridge: The bridge.
        is_static: Whether somebody wrote it; else the bridge has learned it.
    """

    mac: str
    device: str
    bridge: str
    is_static: bool = False


@dataclass(frozen=True)
class Neighbour:
    """A neighbour that somebody wrote down."""

    address: str
    device: str
    mac: str


@dataclass(frozen=True)
class RouterState:
    """The namespace of a router.

    Attributes:
        forwards: Whether it forwards packets.
        default_route: Its way out; empty where it knows none.
    """

    forwards: bool
    default_route: str


@dataclass(frozen=True)
class NodeNetwork:
    """All of a node.

    Attributes:
        links: Name to device.
        fdb: What its bridges have learned, or were told.
        neighbours: Those that somebody wrote down.
        filter: The packet filter, as iptables-save writes it.
        table: labctl's own table, as nft writes it; empty where it is not there.
        frames: What ebtables-save writes.
        routers: Router to its namespace.
    """

    links: Mapping[str, Link] = field(default_factory=dict)
    fdb: tuple[Learned, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    filter: str = ""
    table: str = ""
    frames: str = ""
    routers: Mapping[str, RouterState] = field(default_factory=dict)

    def within(self, bridge: str) -> tuple[Link, ...]:
        """The ports of a bridge."""
        return tuple(link for link in self.links.values() if link.master == bridge)


def parse_node_network(text: str) -> NodeNetwork:
    """Reads what `labctl/engine/node-network.sh` writes."""
    parts = re.split(r"^== (.+)\n", text, flags=re.MULTILINE)[1:]
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    hairpins = {one["ifname"] for one in _objects(sections["ports"]) if one.get("hairpin")}
    links = (_link(one, hairpins) for one in _objects(sections["links"]))
    return NodeNetwork(
        links={link.name: link for link in links},
        fdb=tuple(
            Learned(one["mac"], one["ifname"], one["master"], one.get("state") == "static")
            for one in _objects(sections["fdb"])
            if "master" in one and one.get("state") != "permanent"
        ),
        neighbours=tuple(
            Neighbour(one["dst"], one["dev"], one["lladdr"])
            for one in _objects(sections["neighbours"])
            if "lladdr" in one
        ),
        filter=sections["filter"],
        table=sections["table"].strip(),
        frames=sections["frames"],
        routers={
            name.removeprefix("router "): _router(content)
            for name, content in sections.items()
            if name.startswith("router ")
        },
    )


def _objects(section: str) -> list[dict[str, Any]]:
    """iproute2 prints nothing at all where a list is empty, in some of its programs."""
    found: list[dict[str, Any]] = json.loads(section) if section.strip() else []
    return [one for one in found if one]


def _link(one: Mapping[str, Any], hairpins: set[str]) -> Link:
    name = str(one["ifname"])
    addresses = (f"{each['local']}/{each['prefixlen']}" for each in one["addr_info"] if each.get("family") == "inet")
    return Link(
        name=name,
        mac=str(one.get("address", "")),
        mtu=int(one["mtu"]),
        is_up="UP" in one["flags"],
        master=str(one.get("master", "")),
        addresses=tuple(addresses),
        hairpin=name in hairpins,
    )


def _router(content: str) -> RouterState:
    forwarding, *routes = content.strip().splitlines()
    return RouterState(forwarding == "1", routes[0].strip() if routes else "")
