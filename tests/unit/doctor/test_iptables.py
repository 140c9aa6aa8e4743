"""What a packet filter does with a packet; the rules are those that firewalls and Docker write."""

from ipaddress import IPv4Address

import pytest

from labctl.doctor.iptables import Packet, dropped_by, parse

TO_KEYSTONE = Packet("lab-mgmt", "", IPv4Address("10.77.0.10"), IPv4Address("10.77.0.1"), "tcp", 5000)
VXLAN = Packet("lab-tunn", "lab-tunn", IPv4Address("10.77.1.10"), IPv4Address("10.77.1.11"), "udp", 8472)

# The default of iptables-services of Fedora and CentOS.
REJECT_ALL = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT
-A INPUT -p icmp -j ACCEPT
-A INPUT -i lo -j ACCEPT
-A INPUT -p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT
-A INPUT -j REJECT --reject-with icmp-host-prohibited
-A FORWARD -j REJECT --reject-with icmp-host-prohibited
COMMIT
"""
DOCKER = """\
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
:DOCKER-ISOLATION-STAGE-1 - [0:0]
:DOCKER-ISOLATION-STAGE-2 - [0:0]
:DOCKER-USER - [0:0]
-A FORWARD -j DOCKER-USER
-A FORWARD -j DOCKER-ISOLATION-STAGE-1
-A FORWARD -o lab-tunn -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o lab-tunn -j DOCKER
-A FORWARD -i lab-tunn ! -o lab-tunn -j ACCEPT
{rule}
-A DOCKER-ISOLATION-STAGE-1 -i lab-tunn ! -o lab-tunn -j DOCKER-ISOLATION-STAGE-2
-A DOCKER-ISOLATION-STAGE-1 -j RETURN
-A DOCKER-ISOLATION-STAGE-2 -o lab-tunn -j DROP
-A DOCKER-USER {user}
COMMIT
"""
WITHIN = "-A FORWARD -i lab-tunn -o lab-tunn -j ACCEPT"


def input_of(*rules: str, policy: str = "ACCEPT") -> str | None:
    saved = "\n".join(["*filter", f":INPUT {policy} [0:0]", ":other - [0:0]", *rules])
    return dropped_by(parse(saved), "INPUT", TO_KEYSTONE)


def test_the_rule_that_rejects_is_named() -> None:
    rule = "-A INPUT -j REJECT --reject-with icmp-host-prohibited"
    assert dropped_by(parse(REJECT_ALL), "INPUT", TO_KEYSTONE) == rule
    assert dropped_by(parse(REJECT_ALL), "FORWARD", VXLAN) == rule.replace("INPUT", "FORWARD")


def test_docker_lets_packets_stay_in_its_bridges() -> None:
    assert dropped_by(parse(DOCKER.format(rule=WITHIN, user="-j RETURN")), "FORWARD", VXLAN) is None


def test_without_its_rule_the_policy_drops() -> None:
    saved = DOCKER.format(rule="", user="-j RETURN")
    assert dropped_by(parse(saved), "FORWARD", VXLAN) == "-P FORWARD DROP"


def test_what_somebody_put_before_it_drops() -> None:
    saved = DOCKER.format(rule=WITHIN, user="-p udp --dport 8472 -j DROP")
    assert dropped_by(parse(saved), "FORWARD", VXLAN) == "-A DOCKER-USER -p udp --dport 8472 -j DROP"


@pytest.mark.parametrize(
    "rules",
    [
        (),
        ("-A INPUT -p udp -j DROP",),
        ("-A INPUT ! -i lab-mgmt -j DROP",),
        ("-A INPUT -i eth+ -j DROP",),
        ("-A INPUT -s 10.78.0.0/16 -j DROP",),
        ("-A INPUT ! -d 10.77.0.1/32 -j DROP",),
        ("-A INPUT -p tcp -m multiport --dports 22,80:90 -j DROP",),
        ("-A INPUT -m conntrack --ctstate INVALID -j DROP",),
        ("-A INPUT -p tcp -m tcp --dport 5000 -j ACCEPT", "-A INPUT -j DROP"),
        ("-A INPUT -i lab+ -j ACCEPT", "-A INPUT -j DROP"),
        ("-A INPUT -j other", "-A other -j ACCEPT", "-A INPUT -j DROP"),
        # A match that is not known here: accepts, and does not drop.
        ("-A INPUT -m recent --name x -j DROP",),
        ("-A INPUT -m set --match-set blocked src -j DROP",),
        ("-A INPUT -m set --match-set allowed src -j ACCEPT", "-A INPUT -j DROP"),
        ("-A INPUT -m limit --limit 3/min -j other", "-A other -j DROP"),
    ],
)
def test_what_passes(rules: tuple[str, ...]) -> None:
    assert input_of(*rules) is None


@pytest.mark.parametrize(
    ("rules", "by"),
    [
        (("-A INPUT -p tcp -j DROP",), 0),
        (("-A INPUT -i lab+ -j REJECT",), 0),
        (("-A INPUT -s 10.77.0.0/22 -p tcp -m multiport --dports 22,5000:5010 -j DROP",), 0),
        (("-A INPUT -j other", "-A other -p udp -j ACCEPT", "-A other -j DROP"), 2),
        (("-A INPUT -j other", "-A other -j RETURN", "-A INPUT -j DROP"), 2),
        (('-A INPUT -j LOG --log-prefix "x -j ACCEPT"', "-A INPUT -j DROP"), 1),
    ],
)
def test_what_is_dropped(rules: tuple[str, ...], by: int) -> None:
    assert input_of(*rules) == rules[by]


def test_a_policy_drops_what_no_rule_wants() -> None:
    assert input_of("-A INPUT -i lo -j ACCEPT", policy="DROP") == "-P INPUT DROP"


def test_no_rules_at_all() -> None:
    assert dropped_by(parse(""), "INPUT", TO_KEYSTONE) is None
