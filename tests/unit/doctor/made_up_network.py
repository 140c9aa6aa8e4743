"""The networks of a lab's nodes as they should be: two nodes, a VXLAN network with a server, a router."""

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import IPv4Network

from labctl.cloud.topology import Network, Port
from labctl.cloud.wiring import Wiring
from labctl.doctor.lab.node_network import Learned, Link, NodeNetwork, RouterState
from labctl.lab.addresses import AddressPlan

PLAN = AddressPlan(IPv4Network("10.77.0.0/22"))
NODES = PLAN.nodes(["node1"])
NETWORK = "9d1d5a1e-7c00-4000-8000-000000000001"
ROUTER = "4f1a0000-0000-4000-8000-000000000002"
PORT = Port(
    id="86d0b7ea-ae00-4000-8000-000000000003",
    mac="fa:16:3e:86:3d:92",
    addresses=(),
    network=NETWORK,
    owner="compute:nova",
    node="node1",
)
WIRING = Wiring((PORT,), {NETWORK: Network(NETWORK, "selfservice", "vxlan", 488, 1450)}, (ROUTER,))
TAP, BRIDGE = "tap86d0b7ea-ae", "brq9d1d5a1e-7c"

FILTER = f"""\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:neutron-linuxbri-FORWARD - [0:0]
:neutron-linuxbri-i86d0b7ea-a - [0:0]
:neutron-linuxbri-o86d0b7ea-a - [0:0]
:neutron-linuxbri-sg-chain - [0:0]
:neutron-linuxbri-sg-fallback - [0:0]
-A FORWARD -j neutron-linuxbri-FORWARD
-A neutron-linuxbri-FORWARD -m physdev --physdev-out {TAP} --physdev-is-bridged -j neutron-linuxbri-sg-chain
-A neutron-linuxbri-i86d0b7ea-a -p icmp -j RETURN
-A neutron-linuxbri-o86d0b7ea-a -j RETURN
-A neutron-linuxbri-sg-chain -m physdev --physdev-out {TAP} --physdev-is-bridged -j neutron-linuxbri-i86d0b7ea-a
-A neutron-linuxbri-sg-chain -j ACCEPT
-A neutron-linuxbri-sg-fallback -j DROP
COMMIT
"""
TABLE = "table inet labctl-node {\n}\n"
FRAMES = f"""\
*nat
:PREROUTING ACCEPT
:neutronARP-{TAP} DROP
-A PREROUTING -p ARP -i {TAP} -j neutronARP-{TAP}
-A neutronARP-{TAP} -j DROP
"""


def links(node: str) -> dict[str, Link]:
    here = next(one for one in NODES if one.name == node)
    number = f"{int(here.mgmt) & 255:02x}"
    own = (
        Link("mgmt0", f"02:42:0a:4d:00:{number}", 1500, True, addresses=(f"{here.mgmt}/24",)),
        Link("tunnel0", f"02:42:0a:4d:01:{number}", 1500, True, addresses=(f"{here.tunnel}/24",)),
        Link("uplink", f"02:42:0a:4d:02:{number}", 1500, True),
        Link("port-mgmt0", "", 1500, True, "mgmt0"),
        Link("port-tunnel0", "", 1500, True, "tunnel0"),
        Link("port-uplink", "", 1500, True, "uplink"),
        Link("provider-port", "", 1500, True, "uplink"),
        Link("provider0", "", 1500, True),
    )
    return {link.name: link for link in own}


SERVERS = (
    Link(BRIDGE, "", 1450, True),
    Link(TAP, "fe:16:3e:86:3d:92", 1450, True, BRIDGE),
    Link("vxlan-488", "", 1450, True, BRIDGE),
)
NODE1 = NodeNetwork(
    links={**links("node1"), **{link.name: link for link in SERVERS}},
    fdb=(Learned(PORT.mac, TAP, BRIDGE), Learned("fa:16:3e:00:00:01", "vxlan-488", BRIDGE)),
    filter=FILTER,
    table=TABLE,
    frames=FRAMES,
)
NET = NodeNetwork(
    links=links("net"),
    filter=FILTER,
    table=TABLE,
    routers={ROUTER: RouterState(True, "default via 10.77.2.1 dev qg-1")},
)
WELL: Mapping[str, NodeNetwork] = {"net": NET, "node1": NODE1}


def with_link(name: str, **values: object) -> dict[str, NodeNetwork]:
    """One link of node1 is otherwise."""
    changed = replace(NODE1.links[name], **values)  # type: ignore[arg-type]
    return {**WELL, "node1": replace(NODE1, links={**NODE1.links, name: changed})}


def with_node1(**values: object) -> dict[str, NodeNetwork]:
    """Something of node1 is otherwise."""
    return {**WELL, "node1": replace(NODE1, **values)}  # type: ignore[arg-type]


def with_router(**values: object) -> dict[str, NodeNetwork]:
    """The router is otherwise."""
    state = replace(NET.routers[ROUTER], **values)  # type: ignore[arg-type]
    return {**WELL, "net": replace(NET, routers={ROUTER: state})}
