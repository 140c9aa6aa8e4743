"""The ports of servers: their taps, the bridges and tunnels that these are in, what bridges know of them."""

from labctl.fault.change import Change
from labctl.fault.fault import Where, fault
from labctl.fault.scene import Scene
from labctl.lab import devices


def tap_of(scene: Scene) -> tuple[str, str, str]:
    """The tap of a server on the node, its port, and its network."""
    port = scene.objects.server_port(scene.node.name)
    return devices.tap(port), port, scene.objects.network_of_port(port)


def where_there(device: str, script: str) -> str:
    """A script that does something with a device, where the node still has it."""
    return f'if [ -n "$(ip link show {device} 2> /dev/null)" ]; then {script}; fi'


@fault(
    "tap-unbridged",
    title="A server's NIC that is in no bridge",
    does="Takes the tap of a server on the node out of its bridge.",
    where=Where.COMPUTE,
    verdict="port-unbridged",
)
def tap_unbridged(scene: Scene) -> Change:
    """Neutron calls the port ACTIVE all the same."""
    tap, _, network = tap_of(scene)
    return Change(
        inject=(scene.in_node(f"ip link set {tap} nomaster"),),
        clear=(scene.in_node(where_there(tap, f"ip link set {tap} master {devices.bridge(network)}")),),
    )


@fault(
    "tap-down",
    title="A server's NIC that is switched off",
    does="Takes the tap of a server on the node down.",
    where=Where.COMPUTE,
    verdict="port-down",
)
def tap_down(scene: Scene) -> Change:
    """The server notices that its cable was pulled."""
    tap, _, _ = tap_of(scene)
    return Change(
        inject=(scene.in_node(f"ip link set {tap} down"),),
        clear=(scene.in_node(where_there(tap, f"ip link set {tap} up")),),
    )


@fault(
    "tap-mtu",
    title="A server's NIC that takes only small packets",
    does="Sets the MTU of the tap of a server on the node to 1000.",
    where=Where.COMPUTE,
    verdict="port-mtu",
)
def tap_mtu(scene: Scene) -> Change:
    """The server was told another one by DHCP: what is larger than 1000 bytes does not reach it."""
    tap, _, network = tap_of(scene)
    mtu = scene.objects.mtu(network)
    return Change(
        inject=(scene.in_node(f"ip link set {tap} mtu 1000"),),
        clear=(scene.in_node(where_there(tap, f"ip link set {tap} mtu {mtu}")),),
    )


@fault(
    "fdb-wrong-port",
    title="A bridge that sends a server's frames to the wrong port",
    does="Writes a static entry into the bridge of a server on the node: its MAC address is behind the tunnel.",
    where=Where.COMPUTE,
    verdict="fdb-wrong-port",
)
def fdb_wrong_port(scene: Scene) -> Change:
    """A static entry is not learned anew when the server sends."""
    _, port, network = tap_of(scene)
    mac, vxlan = scene.objects.mac_address(port), devices.vxlan(scene.objects.segment(network))
    there = f"bridge fdb show dev {vxlan} 2> /dev/null | grep --quiet '^{mac} master.* static'"
    return Change(
        inject=(scene.in_node(f"bridge fdb replace {mac} dev {vxlan} master static"),),
        clear=(scene.in_node(f"if {there}; then bridge fdb delete {mac} dev {vxlan} master; fi"),),
    )


@fault(
    "vxlan-missing",
    title="A network's tunnel that a node does not have",
    does="Deletes the VXLAN device of the network of a server on the node.",
    where=Where.COMPUTE,
    verdict="vxlan-missing",
)
def vxlan_missing(scene: Scene) -> Change:
    """The agent makes it when it starts."""
    _, _, network = tap_of(scene)
    return Change(
        inject=(scene.in_node(f"ip link delete {devices.vxlan(scene.objects.segment(network))}"),),
        clear=(scene.docker("restart", "--time", "2", scene.of_node("linuxbridge-agent")),),
    )


@fault(
    "chain-flushed",
    title="A server whose chain of security group rules is empty",
    does="iptables in the node: flushes the chain for what goes to a server.",
    where=Where.COMPUTE,
    verdict="security-groups-bypassed",
)
def chain_flushed(scene: Scene) -> Change:
    """What an empty chain does not refuse goes on, and is accepted at the end."""
    _, port, _ = tap_of(scene)
    return Change(
        inject=(scene.in_node(f"iptables --flush {devices.port_chain('i', port)}"),),
        clear=(scene.docker("restart", "--time", "2", scene.of_node("linuxbridge-agent")),),
    )


FAULTS = (tap_unbridged, tap_down, tap_mtu, fdb_wrong_port, vxlan_missing, chain_flushed)
