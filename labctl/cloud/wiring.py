"""What Neutron says of how servers are connected: ports that are in use and where, their networks, routers.

The part of `labctl.cloud.topology` that the kernels of nodes are held against.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.cloud.topology import Network, Port, read_network, read_port


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

    def on(self, node: str) -> tuple[Port, ...]:
        """The ports of a node."""
        return tuple(port for port in self.ports if port.node == node)


def fetch_wiring(admin: Connection) -> Wiring:
    """Asks Neutron, as admin.

    Raises:
        CloudCheckFailed: It did not answer.
    """
    with api_errors("list the ports"):
        ports = tuple(port for one in admin.network.ports(status="ACTIVE") if (port := read_port(one)).node)
    with api_errors("list the networks"):
        networks = {one.id: read_network(one) for one in admin.network.networks()}
    with api_errors("list the routers"):
        routers = tuple(sorted(str(one.id) for one in admin.network.routers() if one.external_gateway_info))
    return Wiring(ports, networks, routers)
