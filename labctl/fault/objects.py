"""What faults ask of the cloud before they break it: ids of things, and how they are now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.errors import NotFound

MAKE_SOME = "`labctl demo --keep` makes a network, a router and servers with floating IPs."


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of the catalog."""

    id: str
    url: str


@dataclass(frozen=True)
class Floating:
    """A floating IP of a server."""

    address: str
    fixed: str
    router: str


@dataclass(frozen=True)
class Quota:
    """A quota of a project."""

    project: str
    limit: int
    used: int


class Objects:
    """Looks into the cloud, as its admin.

    Args:
        connect: Makes the connection; called when something is asked for the first time.
        provider: The provider network, whose addresses the host reaches.
    """

    def __init__(self, connect: Callable[[], Connection], provider: IPv4Network) -> None:
        self._connect = connect
        self._provider = provider

    @cached_property
    def _admin(self) -> Connection:
        return self._connect()

    def endpoint(self, type: str, interface: str) -> Endpoint:
        """An endpoint of a service.

        Raises:
            NotFound: There is none.
        """
        with api_errors("list the endpoints"):
            services = {str(one.id) for one in self._admin.identity.services(type=type)}
            for one in self._admin.identity.endpoints(interface=interface):
                if str(one.service_id) in services:
                    return Endpoint(str(one.id), str(one.url))
        raise NotFound(f"The catalog has no {interface} endpoint of {type}.")

    def user(self, name: str) -> str:
        """The id of a user.

        Raises:
            NotFound: There is none of that name.
        """
        with api_errors("list the users"):
            return _first(self._admin.identity.users(name=name), f"user {name}")

    def project(self, name: str) -> str:
        """The id of a project.

        Raises:
            NotFound: There is none of that name.
        """
        with api_errors("list the projects"):
            return _first(self._admin.identity.projects(name=name), f"project {name}")

    def roles(self, user: str, project: str) -> tuple[str, ...]:
        """The ids of the roles that a user has in a project."""
        with api_errors("list the roles"):
            found = self._admin.identity.role_assignments(user_id=user, scope_project_id=project)
            return tuple(str(one.role["id"]) for one in found)

    def compute_service(self, host: str) -> str:
        """The id of a node's compute service.

        Raises:
            NotFound: There is none.
        """
        with api_errors("list the compute services"):
            return _first(self._admin.compute.services(binary="nova-compute", host=host), f"nova-compute on {host}")

    def security_group_quota(self, project: str) -> Quota:
        """How many security groups a project may have, and has: one at least, as Neutron makes the first by itself."""
        with api_errors("look at the security groups"):
            used = len(list(self._admin.network.security_groups(project_id=project)))
            limit = self._admin.network.get_quota(project).security_groups
        return Quota(project, int(limit), used)

    def floating_ip(self) -> Floating:
        """A floating IP of a server.

        Raises:
            NotFound: There is none.
        """
        for one in self._floating():
            return Floating(str(one.floating_ip_address), str(one.fixed_ip_address), str(one.router_id))
        raise NotFound("No server has a floating IP.", remedy=MAKE_SOME)

    def floating_port(self, host: str) -> str:
        """The id of the port of a server on a node that has a floating IP.

        Raises:
            NotFound: There is none.
        """
        here = {str(port.id) for port in self._ports(host)}
        for one in self._floating():
            if str(one.port_id) in here:
                return str(one.port_id)
        raise NotFound(f"No server on {host} has a floating IP.", remedy=MAKE_SOME)

    def server_of(self, port: str) -> str:
        """The id of the server that a port is of."""
        with api_errors("look at a port"):
            return str(self._admin.network.get_port(port).device_id)

    def gateway_of(self, router: str) -> str:
        """The address that a router sends everything to for which it knows no other way.

        Raises:
            NotFound: It leads nowhere.
        """
        with api_errors("look at a router"):
            outside = self._admin.network.get_router(router).external_gateway_info
            for one in (outside or {}).get("external_fixed_ips", ()):
                gateway = self._admin.network.get_subnet(one["subnet_id"]).gateway_ip
                if gateway:
                    return str(gateway)
        raise NotFound(f"The router {router} has no gateway.")

    def server_port(self, host: str) -> str:
        """The id of the port of a server on a node.

        Raises:
            NotFound: There is none.
        """
        for port in self._ports(host):
            if str(port.device_owner).startswith("compute:"):
                return str(port.id)
        raise NotFound(f"No server runs on {host}.", remedy=MAKE_SOME)

    def dhcp_network(self, host: str) -> str:
        """The id of a network that a node gives addresses in, and that has servers.

        Raises:
            NotFound: There is none.
        """
        with_servers = {
            str(one.network_id) for one in self._ports(None) if str(one.device_owner).startswith("compute:")
        }
        for port in self._ports(host):
            if port.device_owner == "network:dhcp" and str(port.network_id) in with_servers:
                return str(port.network_id)
        raise NotFound(f"{host} serves DHCP to no network with servers.", remedy=MAKE_SOME)

    def segment(self, network: str) -> int:
        """The VXLAN network identifier of a network."""
        with api_errors("look at a network"):
            return int(self._admin.network.get_network(network).provider_segmentation_id)

    def mtu(self, network: str) -> int:
        """How large a packet a network takes."""
        with api_errors("look at a network"):
            return int(self._admin.network.get_network(network).mtu)

    def network_of_port(self, port: str) -> str:
        """The id of a port's network."""
        with api_errors("look at a port"):
            return str(self._admin.network.get_port(port).network_id)

    def mac_address(self, port: str) -> str:
        """A port's MAC address."""
        with api_errors("look at a port"):
            return str(self._admin.network.get_port(port).mac_address)

    def _floating(self) -> list[Any]:
        """The floating IPs that belong to a port, and that the host reaches."""
        with api_errors("list the floating IPs"):
            return [
                one
                for one in self._admin.network.ips()
                if one.port_id and one.router_id and IPv4Address(one.floating_ip_address) in self._provider
            ]

    def _ports(self, host: str | None) -> list[Any]:
        asked: Mapping[str, str] = {} if host is None else {"binding:host_id": host}
        with api_errors("list the ports"):
            return [one for one in self._admin.network.ports(**asked) if host in (None, one.binding_host_id)]


def _first(found: Any, what: str) -> str:
    for one in found:
        return str(one.id)
    raise NotFound(f"The cloud has no {what}.")
