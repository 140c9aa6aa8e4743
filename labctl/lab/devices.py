"""What Neutron's agents call the devices, namespaces and chains that they make on nodes.

Sources: neutron_lib.constants (prefixes, DEVICE_NAME_MAX_LEN), neutron/plugins/ml2/drivers/linuxbridge/agent,
neutron/agent/l3/namespaces.py, neutron/agent/linux/iptables_firewall.py.
"""

DEVICE_LETTERS = 11
"""How much of an id is in the name of a device: names of devices have 14 letters."""

CHAIN_LETTERS = 10
"""How much of a port's id is in the names of its chains."""

CHAINS = "neutron-linuxbri-"
"""What the linuxbridge agent's chains are called: the first 16 letters of its program."""

VXLAN = "vxlan-"


def tap(port: str) -> str:
    """The device of a port in a bridge."""
    return f"tap{port[:DEVICE_LETTERS]}"


def bridge(network: str) -> str:
    """The bridge of a network."""
    return f"brq{network[:DEVICE_LETTERS]}"


def vxlan(segment: int | None) -> str:
    """The tunnel of a network, by its VXLAN network identifier."""
    return f"{VXLAN}{segment}"


def router_namespace(router: str) -> str:
    """The namespace of a router."""
    return f"qrouter-{router}"


def router_device(port: str, *, is_gateway: bool) -> str:
    """A router's own end of a port, in its namespace."""
    return f"{'qg' if is_gateway else 'qr'}-{port[:DEVICE_LETTERS]}"


def dhcp_device(port: str) -> str:
    """A DHCP server's own end of its port, in its namespace."""
    return f"ns-{port[:DEVICE_LETTERS]}"


def port_chain(kind: str, port: str) -> str:
    """A port's chain: `i` for what goes to it, `o` for what comes from it, `s` for its own addresses."""
    return f"{CHAINS}{kind}{port[:CHAIN_LETTERS]}"
