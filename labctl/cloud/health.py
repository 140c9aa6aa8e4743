"""What a cloud says of itself that tells whether it is well: endpoints, images, servers, quotas, addresses."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keystoneauth1.exceptions
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session
from openstack.connection import Connection
from openstack.exceptions import raise_from_response

from labctl.cloud.connection import api_errors

TOKEN_SECONDS = 20


@dataclass(frozen=True)
class CatalogEndpoint:
    """An endpoint that Keystone hands out."""

    id: str
    type: str
    interface: str
    url: str


@dataclass(frozen=True)
class Credentials:
    """What a service asks for a token with.

    Attributes:
        auth_url: Keystone.
        username: The user.
        password: Its password.
        project_name: The project.
        user_domain_name: The user's domain.
        project_domain_name: The project's.
    """

    auth_url: str
    username: str
    password: str = field(repr=False)
    project_name: str = "service"
    user_domain_name: str = "Default"
    project_domain_name: str = "Default"


@dataclass(frozen=True)
class StoredImage:
    """An image whose data Glance has.

    Attributes:
        id: Its id.
        name: Its name.
        algorithm: What its checksum was made with, such as sha512.
        checksum: The checksum.
    """

    id: str
    name: str
    algorithm: str
    checksum: str


@dataclass(frozen=True)
class FailedServer:
    """A server in ERROR.

    Attributes:
        id: Its id.
        name: Its name.
        fault: What nova says of it.
    """

    id: str
    name: str
    fault: str


@dataclass(frozen=True)
class UsedQuota:
    """How much of a quota a project has used; only of quotas that have a limit."""

    project: str
    resource: str
    used: int
    limit: int


@dataclass(frozen=True)
class FloatingAddress:
    """A floating IP that belongs to a port.

    Attributes:
        address: The address outside.
        fixed: The port's own address.
        router: The id of the router that translates one into the other.
    """

    address: str
    fixed: str
    router: str


@dataclass(frozen=True)
class ServedNetwork:
    """A network with servers whose addresses are given by DHCP.

    Attributes:
        id: Its id.
        name: Its name.
        agents: Host to whether it is alive, of the DHCP agents that serve it.
    """

    id: str
    name: str
    agents: tuple[tuple[str, bool], ...]


@dataclass(frozen=True)
class Health:
    """All of it."""

    endpoints: tuple[CatalogEndpoint, ...] = ()
    images: tuple[StoredImage, ...] = ()
    failed: tuple[FailedServer, ...] = ()
    quotas: tuple[UsedQuota, ...] = ()
    floating: tuple[FloatingAddress, ...] = ()
    served: tuple[ServedNetwork, ...] = ()


def fetch_health(admin: Connection) -> Health:
    """Asks the APIs, as admin.

    Raises:
        CloudCheckFailed: One did not answer.
    """
    with api_errors("list the endpoints"):
        types = {str(service.id): str(service.type) for service in admin.identity.services()}
        endpoints = tuple(
            CatalogEndpoint(str(one.id), types.get(str(one.service_id), "?"), str(one.interface), str(one.url))
            for one in admin.identity.endpoints()
            if one.is_enabled
        )
    with api_errors("list the images"):
        images = tuple(
            StoredImage(str(one.id), str(one.name), str(one.hash_algo), str(one.hash_value))
            for one in admin.image.images(status="active", visibility="all")
            if one.hash_value
        )
    with api_errors("list the servers in ERROR"):
        # Each by itself: nova's list lacks the faults of servers that never had a host, which are in cell0.
        found = (admin.compute.get_server(one.id) for one in admin.compute.servers(all_projects=True, status="ERROR"))
        failed = tuple(
            FailedServer(str(one.id), str(one.name), str((one.fault or {}).get("message", ""))) for one in found
        )
    with api_errors("look at the quotas"):
        quotas = tuple(_quotas(admin))
    with api_errors("list the floating IPs"):
        floating = tuple(
            FloatingAddress(str(one.floating_ip_address), str(one.fixed_ip_address), str(one.router_id))
            # Until the L3 agent has said that it is done, it is DOWN.
            for one in admin.network.ips()
            if one.port_id and one.router_id and one.status == "ACTIVE"
        )
    with api_errors("list the DHCP agents of networks"):
        served = tuple(_served(admin))
    return Health(endpoints, images, failed, quotas, floating, served)


def login_refusal(credentials: Credentials, trust: Path | None = None) -> str:
    """Asks for a token; says why there is none, or nothing.

    Args:
        credentials: Who asks.
        trust: The certificate of the authority that Keystone's is issued by; None without TLS.
    """
    auth = Password(**vars(credentials))
    session = Session(auth, timeout=TOKEN_SECONDS, verify=str(trust) if trust else True)
    # The environment's proxies and ~/.netrc are nothing to a lab.
    try:
        session.get_token()
    except keystoneauth1.exceptions.ClientException as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _quotas(admin: Connection) -> Iterator[UsedQuota]:
    """What is used up or nearly so, of projects that have anything."""
    for project in admin.identity.projects():
        compute = _answer(admin.compute.get(f"/os-quota-sets/{project.id}/detail", microversion="2.50"), "quota_set")
        network = _answer(admin.network.get(f"/quotas/{project.id}/details.json"), "quota")
        for resource, one in (*compute.items(), *network.items()):
            # nova says in_use, neutron used; a quota set has its id among the resources.
            if isinstance(one, dict) and one["limit"] >= 0:
                used = int(one["in_use"] if "in_use" in one else one["used"]) + int(one["reserved"])
                yield UsedQuota(str(project.name), resource, used, int(one["limit"]))


def _answer(response: Any, key: str) -> Mapping[str, Any]:
    raise_from_response(response)
    found: Mapping[str, Any] = response.json()[key]
    return found


def _served(admin: Connection) -> Iterator[ServedNetwork]:
    with_dhcp = {str(subnet.network_id) for subnet in admin.network.subnets(is_dhcp_enabled=True)}
    ports = admin.network.ports(fields=["network_id", "device_owner"])
    with_servers = {str(port.network_id) for port in ports if str(port.device_owner).startswith("compute:")}
    for network in admin.network.networks() if with_dhcp & with_servers else ():
        if str(network.id) in with_dhcp & with_servers:
            agents = admin.network.network_hosting_dhcp_agents(network)
            alive = tuple((str(agent.host), bool(agent.is_alive)) for agent in agents)
            yield ServedNetwork(str(network.id), str(network.name), alive)
