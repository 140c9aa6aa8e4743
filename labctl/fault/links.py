"""A node's own links: its NICs, its bridges, its tunnel end point."""

from labctl.fault.change import Change
from labctl.fault.fault import Where, fault
from labctl.fault.scene import Scene

FULL_MTU = 1500


@fault(
    "address-on-bridged-nic",
    title="A NIC in a bridge that has an address itself",
    does="Gives the node's NIC of the provider network, which is in the bridge uplink, an address of that network.",
    where=Where.NODE,
    verdict="address-on-port",
)
def address_on_bridged_nic(scene: Scene) -> Change:
    """The address is the one that Docker gave the NIC, and that the node took off again."""
    address = f"{scene.node.provider}/{scene.plan.provider.prefixlen}"
    return Change(
        inject=(scene.in_node(f"ip address replace {address} dev port-uplink"),),
        clear=(scene.in_node("ip -4 address flush dev port-uplink"),),
    )


@fault(
    "reflecting-uplink",
    title="A switch that sends frames back to where they came from",
    does="Turns hairpin mode on for a port of the bridge uplink: the switch on which the node's provider NIC hangs.",
    where=Where.NODE,
    verdict="uplink-reflects",
)
def reflecting_uplink(scene: Scene) -> Change:
    """The first walkthrough's riddle: replies vanish, as the bridge thinks that their target is behind the uplink."""
    return Change(
        inject=(scene.in_node("bridge link set dev provider-port hairpin on"),),
        clear=(
            scene.in_node(
                "bridge link set dev provider-port hairpin off; "
                "if [ -e /sys/class/net/provider0/brport ]; then "
                "bridge fdb flush dev provider0 master dynamic; fi"
            ),
        ),
    )


@fault(
    "tunnel-mtu",
    title="A tunnel network that carries only small packets",
    does="Sets the MTU of the node's NIC of the tunnel network to 1400.",
    where=Where.NODE,
    verdict="overlay-mtu",
)
def tunnel_mtu(scene: Scene) -> Change:
    """Servers send up to 1450 bytes, and VXLAN adds 50."""
    return Change(
        inject=(scene.in_node("ip link set port-tunnel0 mtu 1400"),),
        clear=(scene.in_node(f"ip link set port-tunnel0 mtu {FULL_MTU}"),),
    )


@fault(
    "tunnel-nic-down",
    title="A NIC that is switched off",
    does="Takes the node's NIC of the tunnel network down.",
    where=Where.NODE,
    verdict="port-down",
)
def tunnel_nic_down(scene: Scene) -> Change:
    """The bridge on it keeps its address."""
    return Change(
        inject=(scene.in_node("ip link set port-tunnel0 down"),), clear=(scene.in_node("ip link set port-tunnel0 up"),)
    )


@fault(
    "tunnel-address-missing",
    title="A tunnel end point without its address",
    does="Takes the address off the node's bridge of the tunnel network.",
    where=Where.NODE,
    verdict="node-address",
)
def tunnel_address_missing(scene: Scene) -> Change:
    """VXLAN sends from this address, and the others send there."""
    address = f"{scene.node.tunnel}/{scene.plan.tunnel.prefixlen}"
    return Change(
        inject=(scene.in_node(f"ip address delete {address} dev tunnel0"),),
        clear=(scene.in_node(f"ip address replace {address} dev tunnel0"),),
    )


@fault(
    "neighbour-wrong",
    title="A neighbour with the wrong MAC address",
    does="Writes a static entry for another node's tunnel address, with a MAC address that nobody has.",
    where=Where.NODE,
    verdict="neighbour-wrong",
)
def neighbour_wrong(scene: Scene) -> Change:
    """A static entry is never asked about again."""
    neighbour = f"{scene.peer.tunnel} dev tunnel0"
    there = f"ip neighbour show {neighbour} nud permanent | grep --quiet ."
    return Change(
        inject=(scene.in_node(f"ip neighbour replace {neighbour} lladdr 02:00:00:00:00:01 nud permanent"),),
        clear=(scene.in_node(f"if {there}; then ip neighbour delete {neighbour}; fi"),),
    )


FAULTS = (
    address_on_bridged_nic,
    reflecting_uplink,
    tunnel_mtu,
    tunnel_nic_down,
    tunnel_address_missing,
    neighbour_wrong,
)
