"""The packet filter's files: for whom which port is, and what `reach` in the lab file opens."""

import pytest
from fixed_lab import make_plan, render

from labctl.errors import BadInput
from labctl.lab.reach import Opening
from labctl.render.compose import complete_service
from labctl.render.ports import Audience, HostPort, numbers, read_ports


def rules(**more: object) -> list[str]:
    return [line.strip() for line in render(make_plan(**more))["etc/filter/lab.nft"].decode().splitlines()]


def fragment(ports: object) -> dict[str, dict[str, object]]:
    return {"parrot.yaml.j2": {"x-labctl": {"ports": ports}}}


def test_ports_are_read_with_whom_they_are_for() -> None:
    read = read_ports(fragment({"public": {80: "parrot"}, "internal": {81: "perch"}}))
    assert read == (HostPort(80, "parrot", Audience.PUBLIC), HostPort(81, "perch", Audience.INTERNAL))
    assert numbers(read) == {"public": [80], "nodes": [], "internal": [81]}


@pytest.mark.parametrize(
    "said",
    [
        {80: "parrot"},
        {"everybody": {80: "parrot"}},
        {"public": [80]},
        {"public": {"80": "parrot"}},
        {"public": {0: "parrot"}},
        {"public": {65536: "parrot"}},
        {"public": {80: None}},
        [80],
        None,
    ],
)
def test_ports_that_do_not_say_for_whom_are_refused(said: object) -> None:
    with pytest.raises(BadInput, match=r"parrot\.yaml\.j2"):
        read_ports(fragment(said))


def test_a_port_is_one_services_alone() -> None:
    with pytest.raises(BadInput, match="listen on 80, where parrot does"):
        read_ports(fragment({"public": {80: "parrot"}, "nodes": {80: "perch"}}))


def test_nothing_is_open_by_default() -> None:
    found = rules()
    assert "ip daddr 10.20.0.0/22 counter drop" in found
    assert not [line for line in found if "from-reach" in line]


def test_the_local_network_is_whatever_comes_in_by_no_bridge() -> None:
    found = rules(opening=Opening(local_network=True, devices=("br0",)))
    at = found.index('meta iifkind "bridge" ip daddr 10.20.0.0/22 counter drop')
    assert found[at - 1] == 'iifname { "br0" } goto from-reach'
    assert found[at + 1] == "goto from-reach"


def test_a_network_of_the_engine_is_its_bridge() -> None:
    found = rules(opening=Opening(devices=("br-1", "br-2")))
    at = found.index('iifname { "br-1", "br-2" } goto from-reach')
    assert found[at + 1] == "ip daddr 10.20.0.0/22 counter drop"


def test_what_is_opened_is_public_alone() -> None:
    found = rules(opening=Opening(local_network=True))
    chain = found[found.index("chain from-reach {") :]
    assert chain[1 : chain.index("}")] == [
        "ip daddr 10.20.0.1 tcp dport @public accept",
        "ip daddr 10.20.0.1 icmp type echo-request accept",
        "ip daddr 10.20.2.1 counter drop",
        "ip daddr 10.20.2.0/24 accept",
        "ip daddr 10.20.0.0/22 counter drop",
    ]


def test_ports_of_a_profile_are_public_where_the_lab_has_it() -> None:
    def public(**more: object) -> str:
        return next(line for line in rules(**more) if line.startswith("elements"))

    assert "8088" not in public()
    assert "8088" in public(profiles=("horizon",))


def test_a_nodes_filter_is_the_same_whatever_the_lab_has_besides() -> None:
    """Its holder would be made anew for another, and plug the node's links in again."""
    plain = render(make_plan())["etc/node1/filter/node.nft"]
    for more in ({"nodes": 9}, {"profiles": ("horizon",)}, {"opening": Opening(local_network=True)}):
        assert render(make_plan(**more))["etc/node1/filter/node.nft"] == plain


def test_what_runs_in_the_machines_network_says_what_it_runs() -> None:
    """What the image would run could not wait for the filter."""
    service = {"image": "parrot", "network_mode": "host"}
    with pytest.raises(BadInput, match="'parrot' has a network"):
        complete_service("parrot", service, labels={}, lab="x", references={"parrot": "parrot"}, user="1:0", files={})
