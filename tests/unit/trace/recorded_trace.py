"""Traces of a lab with two nodes, as they were recorded: what neutron and the kernels said, and every frame.

`floating` is a ping from a server to the floating IP of another, whose router translates both addresses; `group` is a
TCP connection that no security group lets in. Of devices only what labctl reads was kept, of rules those that drop or
translate.
"""

import json
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from labctl.cloud.topology import (
    Agent,
    FixedAddress,
    FloatingIp,
    Group,
    GroupRule,
    Network,
    Port,
    Router,
    Server,
    Subnet,
    Topology,
)
from labctl.engine.lookout import Captured, Frame
from labctl.lab.addresses import AddressPlan
from labctl.trace.ends import Wanted, parse_protocol, path_of
from labctl.trace.kernel import Kernels, Place, parse_kernel
from labctl.trace.packets import Probe, Protocol, What, recognise
from labctl.trace.run import Attempt, Trace, judge

PLAN = AddressPlan(IPv4Network("10.77.0.0/22"))


class Recorded:
    """One recording; attributes may be replaced, to see what the verdict would have been."""

    def __init__(self, name: str) -> None:
        kept = json.loads((Path(__file__).parent / "recorded" / f"{name}.json").read_text())
        asked = kept["wanted"]
        protocol, port = parse_protocol(asked.get("proto", "icmp"))
        self.wanted = Wanted(asked["server"], asked.get("to", ""), asked.get("source", ""), protocol, port)
        self.topology = topology(kept["topology"])
        self.before = kernels(kept["before"])
        self.after = kernels(kept["after"])
        kind, port, mark, own_port = kept["probe"]
        self.probe = Probe(Protocol(kind), port, bytes.fromhex(mark), own_port)
        self.sent = kept["sent"]
        self.frames = tuple(
            Frame(number, at, leaves, bytes.fromhex(data)) for number, at, leaves, data in kept["frames"]
        )
        self.unwatched: dict[int, str] = {}

    def trace(self) -> Trace:
        path = path_of(self.topology, self.after, PLAN, self.wanted)
        captured, attempt = [Captured(self.frames, {})], Attempt(path, self.probe, self.sent)
        return judge(self.topology, attempt, captured, self.unwatched, self.before, self.after)

    def frames_until(self, hop: int) -> tuple[Frame, ...]:
        """What would have been captured if everything had died after a hop on the way there."""
        path = path_of(self.topology, self.after, PLAN, self.wanted)
        dead = {number for number, _ in path.watched if number > hop}
        return tuple(one for one in self.frames if one.number not in dead and self._is_probe(one))

    def _is_probe(self, frame: Frame) -> bool:
        seen = recognise(frame.data, self.probe)
        return seen is not None and seen.what is What.REQUEST


def kernels(kept: dict[str, str]) -> Kernels:
    return Kernels({Place(*key.split("/")): parse_kernel(text) for key, text in kept.items()})


def topology(kept: dict[str, Any]) -> Topology:
    return Topology(
        servers=tuple(Server(**one) for one in kept["servers"]),
        ports=tuple(
            Port(
                **{
                    **one,
                    "addresses": tuple(
                        FixedAddress(IPv4Address(each["address"]), each["subnet"]) for each in one["addresses"]
                    ),
                    "groups": tuple(one["groups"]),
                }
            )
            for one in kept["ports"]
        ),
        networks=tuple(Network(**one) for one in kept["networks"]),
        subnets=tuple(
            Subnet(one["id"], one["network"], IPv4Network(one["range"]), address(one["gateway"]))
            for one in kept["subnets"]
        ),
        routers=tuple(Router(**one) for one in kept["routers"]),
        floating=tuple(
            FloatingIp(IPv4Address(one["address"]), address(one["fixed"]), one["port"], one["router"])
            for one in kept["floating"]
        ),
        groups=tuple(
            Group(one["id"], one["name"], tuple(GroupRule(**rule) for rule in one["rules"])) for one in kept["groups"]
        ),
        agents=tuple(Agent(**one) for one in kept["agents"]),
    )


def address(text: str | None) -> IPv4Address | None:
    return IPv4Address(text) if text else None
