"""Everything that is known of a probe that died. Pure."""

from dataclasses import dataclass
from ipaddress import IPv4Interface

from labctl.cloud.topology import Port, Topology
from labctl.trace.hops import Hop, Path
from labctl.trace.kernel import Device, Kernels, Place, Rule
from labctl.trace.packets import Probe
from labctl.trace.sightings import Passage
from labctl.trace.verdict import Fate, Gap

LINUXBRIDGE_AGENT = "neutron-linuxbridge-agent"


@dataclass(frozen=True)
class Case:
    """Everything that is known of a probe that died.

    Attributes:
        path: The way that it should have taken.
        passages: What was seen of it.
        fate: Where it died.
        gap: Likewise.
        probe: What was sent.
        sent: How often.
        topology: What neutron says.
        before: The kernels before it was sent.
        after: And after.
    """

    path: Path
    passages: tuple[Passage, ...]
    fate: Fate
    gap: Gap
    probe: Probe
    sent: int
    topology: Topology
    before: Kernels
    after: Kernels

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it can have died."""
        hops = (*((self.gap.last.hop,) if self.gap.last else ()), *self.gap.between, self.gap.next.hop)
        return tuple(dict.fromkeys(hop.place for hop in hops))

    @property
    def size(self) -> int:
        """How large the packet was where it was last seen."""
        seen = self.gap.last.on(self.gap.way_back) if self.gap.last else None
        return seen.seen.size if seen else 0

    def raised(self, place: Place) -> tuple[Rule, ...]:
        """The rules of iptables at a place that were for at least as many packets as were sent."""
        return self._raised(self.before.at(place).rules, self.after.at(place).rules)

    def raised_for_frames(self, place: Place) -> tuple[Rule, ...]:
        """Those of ebtables."""
        return self._raised(self.before.at(place).frame_rules, self.after.at(place).frame_rules)

    def _raised(self, before: tuple[Rule, ...], after: tuple[Rule, ...]) -> tuple[Rule, ...]:
        counted = {(one.table, one.chain, one.text): one.packets for one in before}
        return tuple(
            one for one in after if one.packets - counted.get((one.table, one.chain, one.text), 0) >= self.sent
        )

    def port(self, id: str) -> Port | None:
        """A port of neutron's."""
        return next((one for one in self.topology.ports if one.id == id), None)

    @property
    def agent_is_dead(self) -> str:
        """The node at the gap whose linuxbridge agent neutron has not heard of; empty where there is none."""
        nodes = {place.node for place in self.places}
        dead = (one.node for one in self.topology.agents if one.binary == LINUXBRIDGE_AGENT and not one.is_alive)
        return next((node for node in dead if node in nodes), "")

    @property
    def nodes(self) -> tuple[Place, ...]:
        """The places of the path, each once."""
        return tuple(dict.fromkeys(hop.place for hop in self.path.hops))

    def addresses(self, place: Place) -> tuple[tuple[Device, IPv4Interface], ...]:
        """The addresses of a place's devices."""
        return tuple((device, address) for device in self.after.at(place).devices for address in device.addresses)

    @property
    def last(self) -> Hop | None:
        """The last hop that saw it."""
        return self.gap.last.hop if self.gap.last else None

    @property
    def next(self) -> Hop:
        """The first hop that should have seen it and did not."""
        return self.gap.next.hop


def names(devices: tuple[Device, ...]) -> str:
    """Devices by their names."""
    return ", ".join(one.name for one in devices)
