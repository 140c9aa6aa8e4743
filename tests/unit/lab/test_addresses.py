"""The address plan: everything has its own address, and a range is taken only where nothing else has it."""

from ipaddress import IPv4Address, IPv4Network

import pytest

from labctl.errors import MachineConflict
from labctl.lab.addresses import CANDIDATES, AddressPlan, Role, choose_range
from labctl.lab.nodes import node_names

PLAN = AddressPlan(IPv4Network("10.20.4.0/22"))
MOST = 64


def test_three_networks_out_of_one_range() -> None:
    networks = (PLAN.mgmt, PLAN.tunnel, PLAN.provider)
    assert [str(network) for network in networks] == ["10.20.4.0/24", "10.20.5.0/24", "10.20.6.0/24"]


def test_who_is_where() -> None:
    assert str(PLAN.gateway) == "10.20.4.1"
    assert str(PLAN.broker) == "10.20.4.2"
    assert str(PLAN.provider_gateway) == "10.20.6.1"
    assert [str(address) for address in PLAN.floating_pool] == ["10.20.6.100", "10.20.6.239"]
    net, node1, node2 = PLAN.nodes(node_names(2))
    assert (net.name, net.role, str(net.mgmt)) == ("net", Role.NETWORK, "10.20.4.10")
    assert (node1.name, node1.role, str(node1.tunnel)) == ("node1", Role.COMPUTE, "10.20.5.11")
    assert (node2.name, str(node2.provider)) == ("node2", "10.20.6.12")


def test_no_two_things_have_one_address_however_many_nodes_there_are() -> None:
    nodes = PLAN.nodes(node_names(MOST))
    assert len(nodes) == MOST + 1
    fixed = [PLAN.gateway, PLAN.broker, PLAN.provider_gateway, PLAN.tunnel[1]]
    addresses = fixed + [address for node in nodes for address in (node.mgmt, node.tunnel, node.provider)]
    assert len(set(addresses)) == len(addresses)
    assert len({node.name for node in nodes}) == len(nodes)
    for network in (PLAN.mgmt, PLAN.tunnel, PLAN.provider):
        assert not {network.network_address, network.broadcast_address} & set(addresses)


def test_every_address_is_in_its_network() -> None:
    for node in PLAN.nodes(node_names(MOST)):
        assert node.mgmt in PLAN.mgmt
        assert node.tunnel in PLAN.tunnel
        assert node.provider in PLAN.provider


def test_no_node_has_an_address_of_the_floating_pool() -> None:
    first, last = PLAN.floating_pool
    taken = [PLAN.provider_gateway, *(node.provider for node in PLAN.nodes(node_names(MOST)))]
    assert [address for address in taken if first <= address <= last] == []
    assert {first, last} <= set(PLAN.provider.hosts())


def test_addresses_do_not_change_with_the_number_of_nodes() -> None:
    assert PLAN.nodes(node_names(MOST))[:3] == PLAN.nodes(node_names(2))


@pytest.mark.parametrize(
    ("start", "loopback"),
    [("10.20.4.0/22", "127.20.4.101"), ("10.0.0.0/22", "127.0.0.101"), ("192.168.4.0/22", "127.168.4.103")],
)
def test_each_lab_has_a_loopback_address_of_its_own(start: str, loopback: str) -> None:
    assert str(AddressPlan(IPv4Network(start)).loopback) == loopback


def test_the_first_free_range_is_taken() -> None:
    assert choose_range([]) == CANDIDATES[0]
    assert choose_range([CANDIDATES[0]]) == CANDIDATES[1]


def test_candidates_are_private_slash_22_and_do_not_overlap() -> None:
    assert all(network.prefixlen == 22 and network.is_private for network in CANDIDATES)
    assert sum(network.num_addresses for network in CANDIDATES) == len(set().union(*(map(int, n) for n in CANDIDATES)))


@pytest.mark.parametrize("taken", ["10.77.0.0/16", "10.0.0.0/8", "10.77.255.255/32"])
def test_a_range_that_overlaps_is_not_taken(taken: str) -> None:
    network = IPv4Network(taken)
    chosen = choose_range([network])
    assert not chosen.overlaps(network)


def test_a_single_host_inside_of_a_range_is_enough_to_leave_it_alone() -> None:
    assert choose_range([IPv4Network("10.77.3.7/32")]) == IPv4Network("10.77.4.0/22")


def test_a_default_route_takes_no_range() -> None:
    assert choose_range([IPv4Network("0.0.0.0/0")]) == CANDIDATES[0]


def test_a_range_that_is_asked_for_is_taken_where_it_is_free() -> None:
    wanted = IPv4Network("10.1.0.0/22")
    assert choose_range([CANDIDATES[0]], wanted) == wanted


@pytest.mark.parametrize("taken", ["10.1.0.0/22", "10.1.2.0/24", "10.0.0.0/8", "10.1.3.255/32"])
def test_a_range_that_is_asked_for_and_taken_is_refused_with_who_has_it(taken: str) -> None:
    with pytest.raises(MachineConflict, match=r"10\.1\.0\.0/22 is taken") as caught:
        choose_range([IPv4Network("172.16.0.0/12"), IPv4Network(taken)], IPv4Network("10.1.0.0/22"))
    assert taken in caught.value.evidence[0]


def test_a_machine_on_which_everything_is_taken_is_told_what_was_tried() -> None:
    with pytest.raises(MachineConflict, match="No address range is free") as caught:
        choose_range([IPv4Network(f"{first}.0.0.0/8") for first in (10, 172, 192)])
    assert str(len(CANDIDATES)) in caught.value.evidence[0]
    assert "address_range" in caught.value.remedy


def test_neighbours_are_no_clash() -> None:
    around = [IPv4Network("10.0.255.0/24"), IPv4Network("10.1.4.0/24")]
    assert choose_range(around, IPv4Network("10.1.0.0/22"))[0] == IPv4Address("10.1.0.0")
