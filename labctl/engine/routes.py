"""The address ranges that this machine routes somewhere."""

from ipaddress import IPv4Network

from pyroute2 import IPRoute


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
