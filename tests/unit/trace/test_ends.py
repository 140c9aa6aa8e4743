"""From where to where."""

from dataclasses import replace

import pytest

from labctl.errors import BadInput, NotFound
from labctl.trace.ends import Wanted, parse_protocol, path_of
from labctl.trace.hops import Kind, Path
from labctl.trace.packets import Protocol
from tests.unit.trace.recorded_trace import PLAN, Recorded


def path(server: str, to: str = "", source: str = "") -> Path:
    recorded = Recorded("floating")
    return path_of(recorded.topology, recorded.after, PLAN, Wanted(server, to, source))


def ways(one: Path) -> list[str]:
    return list(dict.fromkeys(hop.place.node for hop in one.hops))


@pytest.mark.parametrize(
    ("text", "protocol", "port"),
    [("icmp", Protocol.ICMP, 0), ("tcp:22", Protocol.TCP, 22), ("udp:53", Protocol.UDP, 53)],
)
def test_protocols(text: str, protocol: Protocol, port: int) -> None:
    assert parse_protocol(text) == (protocol, port)


@pytest.mark.parametrize("text", ["", "tcp", "tcp:", "tcp:0", "tcp:70000", "tcp:ssh", "icmp:1", "sctp:1"])
def test_no_protocols(text: str) -> None:
    with pytest.raises(BadInput):
        parse_protocol(text)


def test_on_one_node_nothing_leaves_it() -> None:
    one = path("trace-a", "trace-c")
    assert ways(one) == ["node1"]
    assert [hop.kind for hop in one.hops] == [Kind.TAP, Kind.BRIDGE, Kind.GROUP, Kind.GROUP, Kind.TAP]


def test_to_another_network_through_the_router() -> None:
    one = path("trace-a", "trace-d")
    assert ways(one) == ["node1", "host", "net", "node2"]
    assert [hop.name for hop in one.hops if hop.kind is Kind.VXLAN] == [
        "VXLAN 488",
        "VXLAN 488",
        "VXLAN 429",
        "VXLAN 429",
    ]


def test_to_the_routers_own_address() -> None:
    one = path("trace-a", "192.168.77.1")
    assert one.hops[-1].kind is Kind.ROUTER
    assert not any(hop.kind is Kind.NAT for hop in one.hops)


def test_to_a_dhcp_server() -> None:
    assert path("trace-a", "192.168.77.2").hops[-1].place.namespace.startswith("qdhcp-")


@pytest.mark.parametrize(
    ("server", "to", "source", "says"),
    [
        ("trace-a", "", "", "Where shall the packet go?"),
        ("trace-a", "192.168.77.250", "", "Nobody has the address 192.168.77.250"),
        ("trace-a", "trace-b", "192.168.77.99", "is neither an address of trace-a nor of the host"),
        ("trace-a", "trace-b", "here", "is no IPv4 address"),
        ("trace-d", "", "host", "it has no floating IP"),
    ],
)
def test_ways_that_there_are_not(server: str, to: str, source: str, says: str) -> None:
    with pytest.raises(BadInput) as refused:
        path(server, to, source)
    assert says in refused.value.what


def test_a_server_that_there_is_not() -> None:
    with pytest.raises(NotFound) as refused:
        path("trace-x", "trace-b")
    assert "did you mean" in refused.value.remedy


def test_two_servers_of_one_name() -> None:
    recorded = Recorded("floating")
    servers = tuple(replace(one, name="twin") for one in recorded.topology.servers)
    recorded.topology = replace(recorded.topology, servers=servers)
    with pytest.raises(BadInput) as refused:
        path_of(recorded.topology, recorded.after, PLAN, Wanted("twin", "192.168.77.1"))
    assert len(refused.value.evidence) == len(servers)
