"""What Neutron says of how servers are connected: ports that are in use and where, their networks, routers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openstack.connection import Connection

from labctl.cloud.connection import api_errors

NAME_LETTERS = 11
"""How much of an id is in the name of a tap or bridge: names of devices have 14 letters (neutron_lib.constants)."""


@dataclass(frozen=True)
class Port:
    """A port that Neutron calls ACTIVE.

    Attributes:
        id: Its id.
        owner: What has it, such as compute:nova or network:dhcp.
        host: The node that it is on.
        network: The id of its network.
        mac: Its MAC address.
        is_guarded: Whether security groups apply to it.
    """

    id: str
    owner: str
    host: str
    network: str
    mac: str
    is_guarded: bool = False

    @property
    def tap(self) -> str:
        """Its device on the node."""
        return f"tap{self.id[:NAME_LETTERS]}"

    @property
    def bridge(self) -> str:
        """The bridge that the device must be in (neutron/plugins/ml2/drivers/linuxbridge/agent)."""
        return f"brq{self.network[:NAME_LETTERS]}"


@dataclass(frozen=True)
class Network:
    """A network.

    Attributes:
        name: Its name.
        type: vxlan or flat.
        mtu: How large a packet may be.
        segment: Its VXLAN network identifier; 0 where it has none.
    """

    name: str
    type: str
    mtu: int
    segment: int = 0


@dataclass(frozen=True)
class Wiring:
    """All of it.

    Attributes:
        ports: Those in use.
        networks: By id.
        routers: Ids of the routers that lead outside.
    """

    ports: tuple[Port, ...] = ()
    networks: Mapping[str, Network] = field(default_factory=dict)
    routers: tuple[str, ...] = ()

    def on(self, host: str) -> tuple[Port, ...]:
        """The ports of a node."""
        return tuple(port for port in self.ports if port.host == host)


def fetch_wiring(admin: Connection) -> Wiring:
    """Asks Neutron, as admin.

    Raises:
        CloudCheckFailed: It did not answer.
    """
    with api_errors("list the ports"):
        ports = tuple(
            Port(
                str(one.id),
                str(one.device_owner),
                str(one.binding_host_id),
                str(one.network_id),
                str(one.mac_address),
                bool(one.is_port_security_enabled),
            )
            for one in admin.network.ports(status="ACTIVE")
            if one.binding_host_id
        )
    with api_errors("list the networks"):
        networks = {
            str(one.id): Network(
                str(one.name), str(one.provider_network_type), int(one.mtu), int(one.provider_segmentation_id or 0)
            )
            for one in admin.network.networks()
        }
    with api_errors("list the routers"):
        routers = tuple(sorted(str(one.id) for one in admin.network.routers() if one.external_gateway_info))
    return Wiring(ports, networks, routers)
