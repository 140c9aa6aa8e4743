"""What the kernel of a network namespace says: devices, forwarding tables, neighbours, routes, packet filters. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from typing import Any

HOST = "host"
"""The place beside the nodes: the host's own network namespace."""


@dataclass(frozen=True)
class Place:
    """A network namespace.

    Attributes:
        node: The node's name, or `host`.
        namespace: The namespace's name there; empty on the host.
    """

    node: str
    namespace: str = ""

    def __str__(self) -> str:
        """As people call it: the node, and what is not its own namespace."""
        return self.node if self.namespace in ("", "node") else f"{self.node} {self.namespace[:14]}"


@dataclass(frozen=True)
class Device:
    """A network device.

    Attributes:
        name: Its name.
        index: Its number in its namespace.
        mac: Its MAC address.
        mtu: The largest packet that it takes.
        is_up: Whether it is switched on.
        has_carrier: Whether its other end is.
        master: The bridge that it is a port of.
        peer: The number of its other end, in whatever namespace that is.
        kind: bridge, veth, vxlan, tun, ...
        vni: The number of a VXLAN.
        addresses: Its IPv4 addresses.
        hairpin: Whether, as a port, frames are sent back out of it.
    """

    name: str
    index: int = 0
    mac: str = ""
    mtu: int = 1500
    is_up: bool = True
    has_carrier: bool = True
    master: str = ""
    peer: int = 0
    kind: str = ""
    vni: int | None = None
    addresses: tuple[IPv4Interface, ...] = ()
    hairpin: bool = False


@dataclass(frozen=True)
class ForwardingEntry:
    """Where a MAC address is: behind a port of a bridge, or behind the VXLAN end point `remote`."""

    mac: str
    device: str
    is_own: bool = False
    remote: str = ""


@dataclass(frozen=True)
class Neighbour:
    """What a kernel knows of a neighbour's MAC address."""

    address: IPv4Address
    device: str
    mac: str
    state: str


@dataclass(frozen=True)
class Route:
    """A route, and the gateway that it leads to, where there is one."""

    destination: IPv4Network
    device: str
    gateway: IPv4Address | None = None


@dataclass(frozen=True)
class Rule:
    """A rule of a packet filter, or the policy of a chain.

    Attributes:
        table: filter, nat, raw, mangle.
        chain: Its chain.
        text: The rule, as iptables-save writes it.
        packets: How many packets it was for.
    """

    table: str
    chain: str
    text: str
    packets: int

    @property
    def target(self) -> str:
        """What it does with packets: ACCEPT, DROP, REJECT, or another chain."""
        found = re.search(r" -j (\S+)", self.text)
        return found.group(1) if found else self.text.partition("policy ")[2]

    @property
    def drops(self) -> bool:
        """Whether packets end here."""
        return self.target in ("DROP", "REJECT")


@dataclass(frozen=True)
class Kernel:
    """All of it, of one namespace."""

    devices: tuple[Device, ...] = ()
    forwarding: tuple[ForwardingEntry, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    routes: tuple[Route, ...] = ()
    rules: tuple[Rule, ...] = ()
    frame_rules: tuple[Rule, ...] = ()
    queues: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, Device]:
        """Devices by their names."""
        return {device.name: device for device in self.devices}

    def device(self, name: str) -> Device | None:
        """The device of that name."""
        return self.by_name.get(name)

    def ports(self, bridge: str) -> tuple[Device, ...]:
        """The ports of a bridge."""
        return tuple(device for device in self.devices if device.master == bridge)

    def where_is(self, mac: str, bridge: str) -> str:
        """The port of a bridge behind which it thinks a MAC address is; empty where it does not know."""
        ports = {device.name for device in self.ports(bridge)}
        found = (one.device for one in self.forwarding if one.mac == mac and one.device in ports and not one.remote)
        return next(found, "")

    def neighbour(self, address: IPv4Address) -> Neighbour | None:
        """What is known of a neighbour."""
        return next((one for one in self.neighbours if one.address == address), None)

    def route_to(self, address: IPv4Address) -> Route | None:
        """The route that an address would take."""
        fitting = [route for route in self.routes if address in route.destination]
        return max(fitting, key=lambda route: route.destination.prefixlen, default=None)

    def setting(self, name: str) -> str:
        """A setting below /proc/sys/net, such as ipv4/ip_forward."""
        return self.settings.get(name, "")


@dataclass(frozen=True)
class Kernels:
    """The kernels of all places that were looked at."""

    by_place: Mapping[Place, Kernel]

    def at(self, place: Place) -> Kernel:
        """A place's kernel; one without anything where the namespace is not there."""
        return self.by_place.get(place, Kernel())

    def __contains__(self, place: Place) -> bool:
        """Whether there is such a namespace."""
        return place in self.by_place


def parse_kernel(text: str) -> Kernel:
    """Reads what `labctl/engine/lookout/watcher.py` collects: headings, each followed by what a program said."""
    parts = {name: body.strip() for name, body in re.findall(r"^#(\w+)\n(.*?)(?=^#\w+\n|\Z)", text, re.DOTALL | re.M)}
    rules = (*_rules(parts.get("rules", "")), *_rules(parts.get("old_rules", "")))
    frame_rules = _rules(parts.get("frame_rules", ""))
    return Kernel(
        devices=tuple(_device(one) for one in _json(parts, "devices")),
        forwarding=tuple(_forwarding(one) for one in _json(parts, "forwarding") if "mac" in one),
        neighbours=tuple(_neighbours(_json(parts, "neighbours"))),
        routes=tuple(_routes(_json(parts, "routes"))),
        rules=rules,
        frame_rules=tuple(frame_rules),
        queues=tuple(parts.get("queues", "").splitlines()),
        settings=dict(
            line.removeprefix("/proc/sys/net/").split(":", 1) for line in parts.get("settings", "").splitlines()
        ),
    )


def _json(parts: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(parts.get(name) or "[]")
    return found


def _device(one: dict[str, Any]) -> Device:
    info = one.get("linkinfo", {})
    port = info.get("info_slave_data", {})
    addresses = (each for each in one.get("addr_info", ()) if each.get("family") == "inet")
    return Device(
        name=one["ifname"],
        index=one["ifindex"],
        mac=one.get("address", ""),
        mtu=one["mtu"],
        is_up="UP" in one["flags"],
        has_carrier="NO-CARRIER" not in one["flags"],
        master=one.get("master", ""),
        peer=one.get("link_index", 0),
        kind=info.get("info_kind", ""),
        vni=info.get("info_data", {}).get("id") if info.get("info_kind") == "vxlan" else None,
        addresses=tuple(IPv4Interface(f"{each['local']}/{each['prefixlen']}") for each in addresses),
        hairpin=bool(port.get("hairpin", False)),
    )


def _forwarding(one: dict[str, Any]) -> ForwardingEntry:
    return ForwardingEntry(one["mac"], one["ifname"], one.get("state") == "permanent", one.get("dst", ""))


def _neighbours(found: list[dict[str, Any]]) -> Iterator[Neighbour]:
    for one in found:
        if ":" not in one["dst"]:
            state = ",".join(one.get("state", ()))
            yield Neighbour(IPv4Address(one["dst"]), one["dev"], one.get("lladdr", ""), state)


def _routes(found: list[dict[str, Any]]) -> Iterator[Route]:
    for one in found:
        if "dev" in one:
            destination = IPv4Network("0.0.0.0/0" if one["dst"] == "default" else one["dst"], strict=False)
            gateway = IPv4Address(one["gateway"]) if "gateway" in one else None
            yield Route(destination, one["dev"], gateway)


def _rules(text: str) -> Iterator[Rule]:
    """Rules and policies with their counters, as `iptables-save --counters` and `ebtables-save -c` write them."""
    table = ""
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif policy := re.match(r":(\S+) (\S+) \[(\d+):\d+\]", line):
            if policy.group(2) != "-":
                yield Rule(table, policy.group(1), f"policy {policy.group(2)}", int(policy.group(3)))
        elif rule := re.match(r"\[(\d+):\d+\] (-A (\S+).*)", line):
            yield Rule(table, rule.group(3), rule.group(2), int(rule.group(1)))
