"""Where this machine sends packets: its routes and devices."""

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
    found = set()
    with IPRoute() as netlink:
        for route in netlink.get_routes(family=2):
            destination = route.get_attr("RTA_DST")
            if destination:
                found.add(IPv4Network(f"{destination}/{route['dst_len']}"))
    loopback = IPv4Network("127.0.0.0/8")
    return tuple(sorted(network for network in found if not network.subnet_of(loopback)))


def routes_and_devices() -> tuple[tuple[Route, ...], tuple[Device, ...]]:
    """The machine's IPv4 routes of all tables, without default routes and loopback, and its devices."""
    with IPRoute() as netlink:
        devices = {
            int(link["index"]): Device(str(link.get_attr("IFLA_IFNAME")), int(link.get_attr("IFLA_MTU")))
            for link in netlink.get_links()
        }
        routes = {
            Route(IPv4Network(f"{destination}/{route['dst_len']}"), devices[device].name)
            for route in netlink.get_routes(family=2)
            if (destination := route.get_attr("RTA_DST")) and (device := route.get_attr("RTA_OIF")) in devices
        }
    in_order = sorted(routes, key=lambda route: (route.destination, route.device))
    return tuple(route for route in in_order if not route.destination.is_loopback), tuple(devices.values())
