"""What is known of the machine."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from labctl.engine.host import Limits
from labctl.engine.routes import Route
from labctl.errors import LabctlError
from labctl.lab.addresses import BROKER_PORT


@dataclass(frozen=True)
class LabDevice:
    """A bridge of a lab on the machine.

    Attributes:
        network: mgmt, tunnel or provider.
        name: The device.
        subnet: Its addresses.
        mtu: The largest packet; 0 where the device is not there.
    """

    network: str
    name: str
    subnet: IPv4Network
    mtu: int

    @property
    def gateway(self) -> IPv4Address:
        """The machine's own address."""
        return self.subnet[1]


@dataclass(frozen=True)
class MachineFacts:
    """Everything that the checks of the machine look at.

    Attributes:
        lab: The lab that it is for.
        nodes: How many compute nodes that has.
        is_up: Whether it has containers: what they need is taken already.
        refusal: Why there is no usable engine.
        range_refusal: Why there is no range for the lab.
        is_rootless: Whether the engine runs without root's rights.
        cgroup_version: 1 or 2; empty where it is not known.
        available_mb: Memory that is available.
        free_disk: Free MB where the engine keeps its data, and where that is.
        wanted_ports: Port to service.
        asked_ports: Those that nodes ask.
        broker_port: The broker's, in its own namespace.
        taken_ports: Port to the wildcard address that something listens on.
        limits: The kernel's limits.
        has_kvm: Whether KVM's device is there.
        no_kvm: Why guests do not run under KVM; empty where they do, or where nobody knows.
        processor: The processor's flags.
        lacking: What the kernel does not have.
        routes: The machine's routes.
        address_range: The lab's range; None where it has none yet.
        devices: The lab's bridges.
        filters: The machine's packet filters, as iptables-save writes them.
    """

    lab: str
    nodes: int
    is_up: bool
    limits: Limits
    available_mb: int
    refusal: LabctlError | None = None
    range_refusal: LabctlError | None = None
    is_rootless: bool = False
    cgroup_version: str = ""
    free_disk: tuple[int, str] | None = None
    wanted_ports: Mapping[int, str] | None = None
    asked_ports: Collection[int] = ()
    broker_port: int = BROKER_PORT
    taken_ports: Mapping[int, str] | None = None
    has_kvm: bool = False
    no_kvm: str = ""
    processor: frozenset[str] = frozenset()
    lacking: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    address_range: IPv4Network | None = None
    devices: tuple[LabDevice, ...] = ()
    filters: tuple[str, ...] = ()

    def device(self, network: str) -> LabDevice | None:
        """One of the lab's bridges."""
        return next((device for device in self.devices if device.network == network), None)
