"""What is known of a lab that is up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from labctl.cloud.health import Health
from labctl.cloud.nodes.view import ComputeNode
from labctl.cloud.readiness import CloudView, Expected
from labctl.cloud.wiring import Wiring
from labctl.doctor.lab.node_network import NodeNetwork
from labctl.engine.inside import FileSystem
from labctl.errors import LabctlError
from labctl.lab.addresses import BROKER_PORT, Node


@dataclass(frozen=True)
class Service:
    """A service of the lab.

    Attributes:
        name: The service.
        container: The name of its container; empty where it has none.
        state: In one word, as `labctl status` says it; missing where it has no container.
        since: What the engine says of it.
        log: The end of its log, where it is not well.
    """

    name: str
    container: str
    state: str
    since: str = ""
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class ServiceLogin:
    """A user that services ask Keystone with.

    Attributes:
        user: Its name.
        file: Where it stands.
        refusal: What Keystone says to it; empty where it gets a token.
    """

    user: str
    file: str
    refusal: str = ""


@dataclass(frozen=True)
class LabFacts:
    """Everything that the checks of a lab look at.

    Attributes:
        name: The lab.
        gateway: The address of the control plane.
        services: Its services.
        schemas_behind: Image to a sentence: whose databases newer or older packages migrated.
        refusal: Why the cloud's APIs could not be asked; then nothing of what follows is known.
        expected: What the cloud must have.
        view: What it has of that.
        nodes: Its compute nodes.
        health: What else it says.
        unresolved: Hosts of endpoints that have no address.
        logins: The services' users.
        checksums: Image to the SHA-512 of its file; None where the files cannot be looked at.
        translations: Router to its rules of address translation; None where it has no namespace.
        broker_rights: What the services' user may do with the broker; None where it cannot be asked.
        dhcp_servers: Node to the networks of dnsmasq's processes there; without nodes that cannot be looked at.
        broker: The address of the broker.
        broker_port: Its port.
        plan: The nodes that the lab shall have.
        wiring: What Neutron says of ports, networks and routers.
        filter_fault: What is wrong with the lab's table in the machine's packet filter; None where nobody can tell.
        networks: Node to what its kernel says of its network; without those that could not be looked at.
        file_systems: Service to what it writes its data to; of those that run.
        database_seconds: What the database takes for a fixed piece of work; None where it could not be asked.
    """

    name: str
    gateway: str
    services: tuple[Service, ...]
    schemas_behind: Mapping[str, str] = field(default_factory=dict)
    refusal: LabctlError | None = None
    expected: Expected = field(default_factory=lambda: Expected((), {}))
    view: CloudView = field(default_factory=lambda: CloudView((), frozenset(), {}, ()))
    nodes: tuple[ComputeNode, ...] = ()
    health: Health = field(default_factory=Health)
    unresolved: frozenset[str] = frozenset()
    logins: tuple[ServiceLogin, ...] = ()
    checksums: Mapping[str, str] | None = None
    translations: Mapping[str, str | None] = field(default_factory=dict)
    broker_rights: Mapping[str, str] | None = None
    dhcp_servers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    broker: str = ""
    broker_port: int = BROKER_PORT
    plan: tuple[Node, ...] = ()
    wiring: Wiring = field(default_factory=Wiring)
    networks: Mapping[str, NodeNetwork] = field(default_factory=dict)
    file_systems: Mapping[str, tuple[FileSystem, ...]] = field(default_factory=dict)
    database_seconds: float | None = None
    filter_fault: str | None = None
