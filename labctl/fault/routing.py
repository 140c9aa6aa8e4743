"""What the network node does for servers: routers, floating IPs, DHCP, metadata."""

from labctl.fault.change import Change
from labctl.fault.fault import Where, fault
from labctl.fault.scene import Scene

DHCP_AGENT = "net-dhcp-agent"
L3_AGENT = "net-l3-agent"


@fault(
    "floating-ip-no-dnat",
    title="A floating IP that does not lead to its server",
    does="iptables in the router's namespace: removes the DNAT rules of a floating IP.",
    where=Where.NETWORK,
    verdict="floating-ip-nat",
)
def floating_ip_no_dnat(scene: Scene) -> Change:
    """The address answers nobody; the server itself reaches the outside."""
    one = scene.objects.floating_ip()
    where, to = f"-d {one.address}/32", f"-j DNAT --to-destination {one.fixed}"
    return _without(scene, one.router, [f"neutron-l3-agent-{chain} {where} {to}" for chain in ("PREROUTING", "OUTPUT")])


@fault(
    "floating-ip-no-snat",
    title="A server that does not answer from its floating IP",
    does="iptables in the router's namespace: removes the SNAT rule of a floating IP.",
    where=Where.NETWORK,
    verdict="floating-ip-nat",
)
def floating_ip_no_snat(scene: Scene) -> Change:
    """What the server begins leaves with the router's own address."""
    one = scene.objects.floating_ip()
    rule = f"neutron-l3-agent-float-snat -s {one.fixed}/32 -j SNAT --to-source {one.address} --random-fully"
    return _without(scene, one.router, [rule])


def _without(scene: Scene, router: str, rules: list[str]) -> Change:
    """A router without rules; when the agent starts it writes all rules anew, if they are still to be there."""
    script = "; ".join(f"iptables --table nat --delete {rule}" for rule in rules)
    restart = scene.docker("restart", "--time", "2", scene.container(L3_AGENT))
    return Change(inject=(scene.in_router(router, script),), clear=(restart,))


@fault(
    "router-not-forwarding",
    title="A router that forwards nothing",
    does="Switches the forwarding of packets off in the namespace of a router.",
    where=Where.NETWORK,
    verdict="router-broken",
)
def router_not_forwarding(scene: Scene) -> Change:
    """The router answers pings itself."""
    router = scene.objects.floating_ip().router
    return Change(
        inject=(scene.in_router(router, "sysctl --quiet --write net.ipv4.ip_forward=0"),),
        clear=(scene.in_router(router, "sysctl --quiet --write net.ipv4.ip_forward=1"),),
    )


@fault(
    "router-without-route",
    title="A router that does not know the way out",
    does="Deletes the default route in the namespace of a router.",
    where=Where.NETWORK,
    verdict="router-broken",
)
def router_without_route(scene: Scene) -> Change:
    """Networks that the router is in itself are reached still."""
    router = scene.objects.floating_ip().router
    device = "$(ip -oneline link | grep --only-matching 'qg-[0-9a-f-]*')"
    return Change(
        inject=(scene.in_router(router, "ip route delete default"),),
        clear=(
            scene.in_router(router, f"ip route replace default via {scene.objects.gateway_of(router)} dev {device}"),
        ),
    )


@fault(
    "dnsmasq-dead",
    title="A network whose DHCP server has died",
    does="Kills the dnsmasq of a network with servers; the agent notices within a minute.",
    where=Where.NETWORK,
    verdict="dhcp-missing",
)
def dnsmasq_dead(scene: Scene) -> Change:
    """The agent looks after its processes once a minute (check_child_process_interval)."""
    network = scene.objects.dhcp_network(scene.node.name)
    return Change(
        inject=(scene.inside(DHCP_AGENT, f"kill $(cat /var/lib/neutron/dhcp/{network}/pid)", root=True),),
        clear=(scene.docker("restart", "--time", "2", scene.container(DHCP_AGENT)),),
    )


FAULTS = (
    floating_ip_no_dnat,
    floating_ip_no_snat,
    router_not_forwarding,
    router_without_route,
    dnsmasq_dead,
)
