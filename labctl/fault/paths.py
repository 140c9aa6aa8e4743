"""What only the way of a packet shows: every part is there and well, and the packet dies (`labctl trace`)."""

from labctl.fault.change import Change
from labctl.fault.fault import TRACE, Where, fault
from labctl.fault.scene import Scene
from labctl.lab.devices import port_chain


@fault(
    "reverse-path",
    title="A router that drops what comes by another way than it would answer by",
    does="In a router's namespace: switches the strict reverse path filter on, and routes the host to the inside.",
    where=Where.NETWORK,
    verdict=f"{TRACE}reverse-path",
)
def reverse_path(scene: Scene) -> Change:
    """Two changes, each of which is harmless alone."""
    one, gateway = scene.objects.floating_ip(), scene.plan.provider_gateway
    inside = "$(ip -oneline link | grep --only-matching 'qr-[0-9a-f-]*' | head -1)"
    strict = "sysctl --quiet --write net.ipv4.conf.all.rp_filter"
    there = f"ip route show {gateway}/32 | grep --quiet ."
    return Change(
        inject=(scene.in_router(one.router, f"{strict}=1; ip route replace {gateway}/32 dev {inside}"),),
        clear=(scene.in_router(one.router, f"{strict}=0; if {there}; then ip route delete {gateway}/32; fi"),),
    )


@fault(
    "rule-not-applied",
    title="A security group rule that the node does not have",
    does="iptables on the node: removes the rule that lets pings to a server in; Neutron has it still.",
    where=Where.COMPUTE,
    verdict=f"{TRACE}security-group-not-applied",
)
def rule_not_applied(scene: Scene) -> Change:
    """The agent writes what changes, and does not look at the rest."""
    chain = port_chain("i", scene.objects.floating_port(scene.node.name))
    restart = scene.docker("restart", "--time", "2", scene.of_node("linuxbridge-agent"))
    return Change(
        inject=(scene.in_node(f"iptables --delete {chain} --protocol icmp --jump RETURN"),),
        clear=(restart,),
    )


@fault(
    "server-suspended",
    title="A server that stands still",
    does="Suspends a server with virsh; nova calls it ACTIVE.",
    where=Where.COMPUTE,
    verdict=f"{TRACE}silent",
)
def server_suspended(scene: Scene) -> Change:
    """Everything on the way works, and nobody answers."""
    server = scene.objects.server_of(scene.objects.floating_port(scene.node.name))
    container = scene.of_node("libvirt")
    virsh = ("exec", container, "virsh", "--quiet", "--connect", "qemu:///system")
    return Change(
        inject=(scene.docker(*virsh, "suspend", server),),
        clear=(scene.docker(*virsh, "resume", server, already="already running"),),
    )


FAULTS = (reverse_path, rule_not_applied, server_suspended)
