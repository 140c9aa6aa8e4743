"""The checks of the nodes' networks, each against a network where it must find something; and one where none may."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from labctl.cloud.topology import Network
from labctl.doctor.check import examine
from labctl.doctor.checks import LAB
from labctl.doctor.lab import filters, links, ports
from labctl.doctor.lab.facts import LabFacts
from labctl.doctor.lab.node_network import Learned, Link, Neighbour, NodeNetwork, RouterState, parse_node_network
from tests.unit.doctor.made_up_network import (
    BRIDGE,
    FILTER,
    FRAMES,
    NODE1,
    NODES,
    PLAN,
    PORT,
    ROUTER,
    TAP,
    WELL,
    WIRING,
    with_link,
    with_node1,
    with_router,
)

CHECKS = (*links.CHECKS, *ports.CHECKS, *filters.CHECKS)


def facts(networks: Mapping[str, NodeNetwork]) -> LabFacts:
    return LabFacts(
        name="lab",
        gateway=str(PLAN.gateway),
        broker=str(PLAN.broker),
        services=(),
        plan=NODES,
        wiring=WIRING,
        networks=networks,
    )


def added(*lines: str) -> dict[str, NodeNetwork]:
    """Rules at the end of node1's filter."""
    return with_node1(filter=FILTER.replace("COMMIT\n", "\n".join((*lines, "COMMIT\n"))))


def test_nothing_is_wrong_with_networks_that_are_well() -> None:
    assert examine(CHECKS, facts(WELL)) == ()


def test_the_broker_of_a_lab_with_tls_has_another_port() -> None:
    seen = facts(added("-A OUTPUT -p tcp -m tcp --dport 5671 -j DROP"))
    assert examine(CHECKS, seen) == ()
    (finding,) = examine(CHECKS, replace(seen, broker_port=5671))
    assert finding.check == "node-firewall"
    assert "drops tcp to 10.77.0.2:5671" in finding.evidence


def test_nothing_is_wrong_with_what_could_not_be_looked_at() -> None:
    assert examine(CHECKS, facts({})) == ()


IN_NODE = "docker exec lab-node1 in-node"
REJECT = "-A INPUT -j REJECT --reject-with icmp-host-prohibited"
WRONG: Mapping[str, tuple[Mapping[str, NodeNetwork], str, str, str]] = {
    "address": (
        with_link("port-uplink", addresses=("10.77.2.11/24",)),
        "address-on-port",
        "node1: port-uplink is in the bridge uplink and has 10.77.2.11/24",
        f"{IN_NODE} ip -4 address flush dev port-uplink",
    ),
    "nic down": (
        with_link("port-tunnel0", is_up=False),
        "port-down",
        "node1: port-tunnel0, of the bridge tunnel0, is down",
        f"{IN_NODE} ip link set port-tunnel0 up",
    ),
    "node's table": (
        with_node1(table=""),
        "node-unfiltered",
        "node1: there is no table inet labctl-node",
        f"{IN_NODE} nft -f /etc/filter/node.nft",
    ),
    "tap down": (with_link(TAP, is_up=False), "port-down", f"node1: {TAP}, of the bridge {BRIDGE}, is down", "up"),
    "tunnel mtu": (
        with_link("port-tunnel0", mtu=1400),
        "overlay-mtu",
        "node1: the MTU of port-tunnel0 1400; servers' packets in VXLAN need 1500",
        "",
    ),
    "no address": (
        with_link("tunnel0", addresses=()),
        "node-address",
        "node1: tunnel0 must have 10.77.1.11: no address",
        "",
    ),
    "neighbour": (
        with_node1(neighbours=(Neighbour("10.77.1.10", "tunnel0", "02:00:00:00:00:01"),)),
        "neighbour-wrong",
        "node1: 10.77.1.10 dev tunnel0 is 02:00:00:00:00:01 for ever; it is 02:42:0a:4d:01:0a",
        f"{IN_NODE} ip neighbour delete 10.77.1.10 dev tunnel0",
    ),
    "hairpin": (
        with_link("provider-port", hairpin=True),
        "uplink-reflects",
        "node1: provider-port, a port of uplink, is in hairpin mode",
        f"{IN_NODE} bridge link set dev provider-port hairpin off",
    ),
    "reflected": (
        with_node1(fdb=(Learned(PORT.mac, "provider0", BRIDGE),)),
        "uplink-reflects",
        f"node1: {BRIDGE} has learned fa:16:3e:86:3d:92 behind provider0; it is behind {TAP}",
        f"{IN_NODE} bridge fdb delete fa:16:3e:86:3d:92 dev provider0 master",
    ),
    "no bridge": (
        with_link(TAP, master=""),
        "port-unbridged",
        f"node1: {TAP} is in no bridge, not in {BRIDGE}",
        f"{IN_NODE} ip link set {TAP} master {BRIDGE}",
    ),
    "tap mtu": (
        with_link(TAP, mtu=1000),
        "port-mtu",
        f"node1: {TAP} takes 1000 bytes, selfservice has 1450",
        f"{IN_NODE} ip link set {TAP} mtu 1450",
    ),
    "static": (
        with_node1(fdb=(Learned(PORT.mac, "vxlan-488", BRIDGE, is_static=True),)),
        "fdb-wrong-port",
        "a static entry: fa:16:3e:86:3d:92 is behind vxlan-488",
        f"{IN_NODE} bridge fdb delete fa:16:3e:86:3d:92 dev vxlan-488 master",
    ),
    "no vxlan": (
        with_node1(links={name: link for name, link in NODE1.links.items() if name != "vxlan-488"}),
        "vxlan-missing",
        "node1: vxlan-488 of the network selfservice is not there",
        "",
    ),
    "vxlan elsewhere": (with_link("vxlan-488", master=""), "vxlan-missing", "vxlan-488 of the network", ""),
    "no forwarding": (with_router(forwards=False), "router-broken", f"ip_forward is 0 in qrouter-{ROUTER}", ""),
    "no route": (with_router(default_route=""), "router-broken", f"qrouter-{ROUTER} has no default route", ""),
    "vxlan dropped": (
        added("-A INPUT -p udp -m udp --dport 8472 -j DROP"),
        "vxlan-dropped",
        "drops VXLAN from other nodes",
        f"{IN_NODE} iptables -D INPUT -p udp -m udp --dport 8472 -j DROP",
    ),
    "vxlan out": (added("-A OUTPUT -p udp -j DROP"), "vxlan-dropped", "drops VXLAN to other nodes", "-D OUTPUT"),
    "broker": (
        added("-A OUTPUT -p tcp -m tcp --dport 5672 -j DROP"),
        "node-firewall",
        "drops tcp to 10.77.0.2:5672",
        f"{IN_NODE} iptables -D OUTPUT -p tcp -m tcp --dport 5672 -j DROP",
    ),
    "consoles": (
        added("-A INPUT -p tcp -j REJECT"),
        "node-firewall",
        "drops consoles (tcp 5900), moves of servers (tcp 16514)",
        "iptables -D INPUT -p tcp -j REJECT",
    ),
    "forward": (
        added("-A FORWARD -j REJECT --reject-with icmp-host-prohibited"),
        "node-forward",
        "drops frames in the bridge uplink",
        f"{IN_NODE} iptables -D FORWARD -j REJECT --reject-with icmp-host-prohibited",
    ),
    "policy": (
        with_node1(filter=FILTER.replace(":FORWARD ACCEPT", ":FORWARD DROP")),
        "node-forward",
        "node1: -P FORWARD DROP",
        f"{IN_NODE} iptables -P FORWARD ACCEPT",
    ),
    "bypassed": (
        with_node1(filter=FILTER.replace("-A FORWARD -j neutron-linuxbri-FORWARD\n", "")),
        "security-groups-bypassed",
        "node1: FORWARD does not lead to neutron-linuxbri-FORWARD",
        "",
    ),
    "flushed": (
        with_node1(filter=FILTER.replace("-A neutron-linuxbri-i86d0b7ea-a -p icmp -j RETURN\n", "")),
        "security-groups-bypassed",
        f"neutron-linuxbri-i86d0b7ea-a is empty: of what goes to {TAP}",
        "",
    ),
    "ebtables": (
        with_node1(frames=FRAMES + "*filter\n:FORWARD ACCEPT\n-A FORWARD -p ARP -j DROP\n"),
        "ebtables-leftovers",
        "node1: table filter: -A FORWARD -p ARP -j DROP",
        f"{IN_NODE} ebtables -t filter -D FORWARD -p ARP -j DROP",
    ),
    "ebtables policy": (
        with_node1(frames="*filter\n:FORWARD DROP\n"),
        "ebtables-leftovers",
        "node1: table filter: -P FORWARD DROP",
        f"{IN_NODE} ebtables -t filter -P FORWARD ACCEPT",
    ),
}


@pytest.mark.parametrize(("networks", "check", "says", "fix"), WRONG.values(), ids=WRONG)
def test_what_is_wrong(networks: Mapping[str, NodeNetwork], check: str, says: str, fix: str) -> None:
    findings = examine(CHECKS, facts(networks))
    assert {finding.check for finding in findings} == {check}
    assert any(says in line for finding in findings for line in finding.evidence)
    fixes = [" ".join(finding.fix.command) for finding in findings if finding.fix]
    assert any(fix in one for one in fixes) if fix else fixes == []


def test_every_check_has_a_case() -> None:
    assert {check for _, check, _, _ in WRONG.values()} == {one.id for one in CHECKS}
    assert {one.id for one in CHECKS} <= {one.id for one in LAB}


def test_one_rule_that_drops_all_is_found_by_what_it_drops() -> None:
    findings = examine(CHECKS, facts(added(REJECT)))
    assert {finding.check for finding in findings} == {"vxlan-dropped", "node-firewall"}


def test_a_server_that_has_moved_here_and_not_spoken_is_no_reflection() -> None:
    networks = with_node1(fdb=(Learned(PORT.mac, "vxlan-488", BRIDGE),))
    assert examine(CHECKS, facts(networks)) == ()


def test_a_tap_that_is_not_there_yet_is_not_wrong() -> None:
    without = {name: link for name, link in NODE1.links.items() if name not in (TAP, BRIDGE, "vxlan-488")}
    assert examine(CHECKS, facts(with_node1(links=without))) == ()


def test_a_port_without_security_has_no_chains() -> None:
    bare = FILTER.replace("-A neutron-linuxbri-i86d0b7ea-a -p icmp -j RETURN\n", "")
    well = facts(with_node1(filter=bare))
    assert examine(CHECKS, replace(well, wiring=replace(WIRING, ports=(replace(PORT, is_secured=False),)))) == ()


def test_networks_with_small_packets_fit_into_a_small_tunnel() -> None:
    small = replace(facts(with_link("port-tunnel0", mtu=1400)), wiring=replace(WIRING, ports=()))
    networks = {"n": Network("n", "small", "vxlan", 1, 1350)}
    assert examine(CHECKS, replace(small, wiring=replace(small.wiring, networks=networks))) == ()


PRINTED = """
== links
[{"ifname":"port-uplink","flags":["UP"],"mtu":1500,"master":"uplink","address":"02:42:0a:4d:02:0b",
  "addr_info":[{"family":"inet","local":"10.77.2.11","prefixlen":24},{"family":"inet6","local":"fe80::1","prefixlen":64}]},
 {"ifname":"provider-port","flags":["BROADCAST"],"mtu":1400,"master":"uplink","address":"1e:7f:39:7d:2c:87","addr_info":[]}]

== ports
[{"ifname":"provider-port","master":"uplink","hairpin":true},{"ifname":"port-uplink","master":"uplink","hairpin":false}]

== fdb
[{"mac":"33:33:00:00:00:01","ifname":"uplink","flags":["self"],"state":"permanent"},
 {"mac":"1e:7f:39:7d:2c:87","ifname":"provider-port","flags":[],"master":"uplink","state":"permanent"},
 {"mac":"fa:16:3e:00:00:01","ifname":"provider-port","flags":[],"master":"uplink","state":""},
 {"mac":"fa:16:3e:00:00:02","ifname":"provider-port","flags":[],"master":"uplink","state":"static"}]

== neighbours
[{"dst":"10.77.1.10","dev":"tunnel0","lladdr":"02:00:00:00:00:01","state":["PERMANENT"]}]

== filter
*filter
:INPUT ACCEPT [1:2]
COMMIT

== table

== frames

== router r1
1
default via 10.77.2.1 dev qg-1 proto static

== router r2
0
"""


def test_what_programs_print_is_read() -> None:
    assert parse_node_network(PRINTED) == NodeNetwork(
        links={
            "port-uplink": Link("port-uplink", "02:42:0a:4d:02:0b", 1500, True, "uplink", ("10.77.2.11/24",)),
            "provider-port": Link("provider-port", "1e:7f:39:7d:2c:87", 1400, False, "uplink", hairpin=True),
        },
        fdb=(
            Learned("fa:16:3e:00:00:01", "provider-port", "uplink"),
            Learned("fa:16:3e:00:00:02", "provider-port", "uplink", is_static=True),
        ),
        neighbours=(Neighbour("10.77.1.10", "tunnel0", "02:00:00:00:00:01"),),
        filter="*filter\n:INPUT ACCEPT [1:2]\nCOMMIT\n\n",
        frames="\n",
        routers={
            "r1": RouterState(True, "default via 10.77.2.1 dev qg-1 proto static"),
            "r2": RouterState(False, ""),
        },
    )
