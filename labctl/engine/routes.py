"""Where this machine sends packets: its routes and devices."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from pyroute2 import IPRoute


@dataclass(frozen=True)
class Route:
    """A route: a destination, and the device that leads there."""

    destination: IPv4Network
    device: str


@dataclass(frozen=True)
class Device:
    """A network device of the machine."""

    name: str
    mtu: int


def routed_networks() -> tuple[IPv4Network, ...]:
    """The destinations of the machine's IPv4 routes, of all tables, without the default route (rtnetlink(7))."""
    with IPRoute() as netlink:
        return tuple(sorted({destination for destination, _ in _destinations(netlink)}))


def routes_and_devices() -> tuple[tuple[Route, ...], tuple[Device, ...]]:
    """The machine's IPv4 routes of all tables, without default routes and loopback, and its devices."""
    with IPRoute() as netlink:
        devices = {
            int(link["index"]): Device(str(link.get_attr("IFLA_IFNAME")), int(link.get_attr("IFLA_MTU")))
            for link in netlink.get_links()
        }
        routes = {
            Route(destination, devices[device].name)
            for destination, device in _destinations(netlink)
            if device in devices
        }
    return tuple(sorted(routes, key=lambda route: (route.destination, route.device))), tuple(devices.values())


def default_route_bridges() -> tuple[str, ...]:
    """The bridges that the machine's default routes lead to: where its own network card is in a bridge."""
    with IPRoute() as netlink:
        kinds = {
            int(link["index"]): (str(link.get_attr("IFLA_IFNAME")), link.get_nested("IFLA_LINKINFO", "IFLA_INFO_KIND"))
            for link in netlink.get_links()
        }
        out = {route.get_attr("RTA_OIF") for route in netlink.get_routes(family=2) if not route["dst_len"]}
    return tuple(sorted(name for index, (name, kind) in kinds.items() if index in out and kind == "bridge"))


def _destinations(netlink: IPRoute) -> Iterator[tuple[IPv4Network, int]]:
    """Where routes lead, but for default routes and loopback, and the index of the device; 0 where there is none."""
    for route in netlink.get_routes(family=2):
        address = route.get_attr("RTA_DST")
        destination = IPv4Network(f"{address}/{route['dst_len']}") if address else None
        if destination and not destination.is_loopback:
            yield destination, route.get_attr("RTA_OIF") or 0
