"""What an IPv4 packet filter does with a packet: the rules of `iptables-save`, walked as the kernel does.

A match that is not known here is taken to be the harmless way: a rule that accepts is thought to match, one that drops
is not. So what is said to be dropped is dropped.
"""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

ACCEPT, DROP, REJECT, RETURN = "ACCEPT", "DROP", "REJECT", "RETURN"
MODULES_WITHOUT_MEANING = frozenset({"comment", "tcp", "udp", "multiport", "conntrack", "state", "physdev"})


@dataclass(frozen=True)
class Packet:
    """The first packet of a connection.

    Attributes:
        into: The device that it comes in by.
        out: The device that it leaves by; empty where it is for the machine itself.
        source: From where.
        target: To where.
        protocol: tcp, udp or icmp.
        port: The port that it is for.
        port_in: Of a bridge, by which it comes in; empty for what no bridge carries, or where that is not known.
        port_out: Of a bridge, by which it leaves.
    """

    into: str
    out: str
    source: IPv4Address
    target: IPv4Address
    protocol: str
    port: int = 0
    port_in: str = ""
    port_out: str = ""


@dataclass(frozen=True)
class Rule:
    """One line of a chain."""

    text: str
    words: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class Filter:
    """The table `filter`.

    Attributes:
        policies: Built-in chain to its policy.
        chains: Chain to its rules.
    """

    policies: Mapping[str, str]
    chains: Mapping[str, tuple[Rule, ...]]


def parse(saved: str) -> Filter:
    """Reads what `iptables-save -t filter` writes (iptables-save(8))."""
    policies: dict[str, str] = {}
    chains: dict[str, tuple[Rule, ...]] = {}
    for line in saved.splitlines():
        if line.startswith(":"):
            name, policy = line[1:].split()[:2]
            chains[name] = ()
            if policy != "-":
                policies[name] = policy
        elif line.startswith("-A "):
            words = shlex.split(line)
            target = next((words[i + 1] for i, word in enumerate(words) if word in ("-j", "-g")), "")
            chains[words[1]] = (*chains.get(words[1], ()), Rule(line, tuple(words[2:]), target))
    return Filter(policies, chains)


def dropped_by(filter_: Filter, chain: str, packet: Packet) -> str | None:
    """The rule, or the policy, that drops a packet; None where it passes."""
    verdict = _walk(filter_, chain, packet, frozenset())
    if verdict is None and filter_.policies.get(chain) == DROP:
        return f"-P {chain} DROP"
    return verdict or None


def _walk(filter_: Filter, chain: str, packet: Packet, above: frozenset[str]) -> str | None:
    """The rule that drops the packet, empty where one accepts it, None where the chain ends."""
    for rule in filter_.chains.get(chain, ()):
        matches = matches_packet(rule, packet)
        if matches is False:
            continue
        if rule.target == ACCEPT:
            return ""
        if rule.target in (DROP, REJECT) and matches:
            return rule.text
        if rule.target == RETURN and matches:
            return None
        if rule.target in filter_.chains and rule.target not in above:
            verdict = _walk(filter_, rule.target, packet, above | {chain})
            if verdict == "" or (verdict and matches):
                return verdict
    return None


def matches_packet(rule: Rule, packet: Packet) -> bool | None:
    """Whether a rule matches; None where it has a match that is not known here."""
    known: list[bool | None] = []
    words = list(rule.words)
    while words:
        inverted = words[0] == "!"
        option, *words = words[1:] if inverted else words
        if option in ("-j", "-g"):
            break
        value = words.pop(0) if words and not words[0].startswith("-") and words[0] != "!" else ""
        answer = _matches(option, value, packet)
        known.append(answer if answer is None else answer != inverted)
    if False in known:
        return False
    return None if None in known else True


def _matches(option: str, value: str, packet: Packet) -> bool | None:
    match option:
        case "-m":
            return True if value in MODULES_WITHOUT_MEANING else None
        case "-i" | "-o":
            device = packet.into if option == "-i" else packet.out
            return device.startswith(value[:-1]) if value.endswith("+") else device == value
        case "--physdev-in" | "--physdev-out":
            bridge_port = packet.port_in if option == "--physdev-in" else packet.port_out
            return bridge_port == value if bridge_port else None
        case "--physdev-is-bridged":
            return bool(packet.port_in and packet.port_out) or None
        case "-s" | "-d":
            address = packet.source if option == "-s" else packet.target
            return address in IPv4Network(value, strict=False)
        case "-p":
            return value in (packet.protocol, "all")
        case "--dport" | "--dports":
            return _port_among(packet.port, value.split(","))
        case "--ctstate" | "--state":
            return "NEW" in value.split(",")
        case "--comment":
            return True
        case "--reject-with":
            return True
    return None


def _port_among(port: int, written: Sequence[str]) -> bool | None:
    for one in written:
        first, _, last = one.partition(":")
        if not first.isdigit():
            return None
        if int(first) <= port <= int(last or first):
            return True
    return False
