"""The demo's networks: provider network (admin), self-service network, router, security group, floating IPs (user)."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import openstack.exceptions

from labctl.cloud.connection import api_errors
from labctl.cloud.demo.cleanup import Kind
from labctl.cloud.demo.context import Context
from labctl.cloud.waiting import Pending
from labctl.errors import CloudCheckFailed
from labctl.events import Note, step

PHYSICAL_NETWORK = "provider"
SELF_SERVICE = IPv4Network("172.16.1.0/24")

_TEMPORARY = "labctl demo: removed when no demo uses it any more"


@dataclass(frozen=True)
class PrivateNetwork:
    """The self-service network.

    Attributes:
        network: Its id.
        subnet: Its subnet's id.
    """

    network: str
    subnet: str


def provider_network(context: Context) -> str:
    """Makes the provider network, or takes the one that is there: a flat network is there once, or not at all.

    Returns:
        Its id.

    Raises:
        CloudCheckFailed: The API refused, or the one that is there is of no use.
    """
    with step(context.emit, "Provider network (admin)") as evidence:
        found = _flat_network(context)
        made = None if found else _make_provider(context)
        network = made or found or _flat_network(context)  # the last: another run was faster
        if network is None:
            raise CloudCheckFailed("The provider network vanished while the demo was looking for it.")
        if made is None:
            _take_over(context, network)
        if network.mtu and int(network.mtu) > context.target.mtu:
            text = (
                f"The provider network's MTU is {network.mtu}, but packets longer than {context.target.mtu} are lost."
            )
            context.emit(Note(text, level="warning"))
        first, last = context.target.floating_pool
        origin = "was there already" if made is None else f"flat, shared, external, pool {first}-{last}"
        evidence.text = f"{network.name}: {context.target.provider_network}, {origin}"
        return str(network.id)


def _flat_network(context: Context) -> Any:
    with api_errors("list the networks of the physical network provider"):
        found = context.admin.network.networks(provider_physical_network=PHYSICAL_NETWORK, provider_network_type="flat")
        return next(iter(found), None)


def _make_provider(context: Context) -> Any:
    """Makes network and subnet; nothing when another run of the demo was faster."""
    target = context.target
    name = context.intend(Kind.PROVIDER_NETWORK, "provider")
    first, last = target.floating_pool
    with api_errors("create the provider network"):
        try:
            network = context.admin.network.create_network(
                name=name,
                description="" if context.keep else _TEMPORARY,
                is_shared=True,
                is_router_external=True,
                provider_network_type="flat",
                provider_physical_network=PHYSICAL_NETWORK,
            )
        except openstack.exceptions.ConflictException:
            return None
        context.admin.network.create_subnet(
            name=name,
            network_id=network.id,
            ip_version=4,
            cidr=str(target.provider_network),
            gateway_ip=str(target.provider_gateway),
            allocation_pools=[{"start": str(first), "end": str(last)}],
            is_dhcp_enabled=False,
        )
    return network


def _take_over(context: Context, network: Any) -> None:
    """Sees whether a network that somebody else made will do.

    One that another run of the demo would remove at its end is removed by whichever of the two ends last: as long as
    one of them uses it, neutron refuses the removal to the other.
    """
    if network.description == _TEMPORARY:
        context.ledger.intend(Kind.PROVIDER_NETWORK, str(network.name))

    def subnets() -> list[str] | Pending:
        with api_errors(f"list the subnets of {network.name}"):
            ranges = [str(one.cidr) for one in context.admin.network.subnets(network_id=network.id)]
        return ranges or Pending("it has no subnet")  # a run that starts at the same moment is about to make it

    ranges = context.wait(subnets, f"a subnet in the network {network.name}", timeout=15)
    wanted = str(context.target.provider_network)
    if not network.is_router_external or wanted not in ranges:
        raise CloudCheckFailed(
            f"The network {network.name} holds the physical network provider, and the demo cannot use it.",
            evidence=(f"external: {network.is_router_external}, subnets: {', '.join(ranges)}, needed: {wanted}",),
            remedy=f"Remove it: openstack --os-cloud {context.target.admin_cloud} network delete {network.name}",
        )


def private_network(context: Context) -> PrivateNetwork:
    """Makes the self-service network and its subnet.

    Raises:
        CloudCheckFailed: The API refused.
    """
    with step(context.emit, "Self-service network") as evidence, api_errors("create the self-service network"):
        name = context.intend(Kind.NETWORK, "net")
        network = context.user.network.create_network(name=name)
        subnet = context.user.network.create_subnet(
            name=name,
            network_id=network.id,
            ip_version=4,
            cidr=str(SELF_SERVICE),
            gateway_ip=str(SELF_SERVICE[1]),
            dns_nameservers=[str(address) for address in context.target.dns],
        )
        evidence.text = f"{name}: {SELF_SERVICE}, MTU {network.mtu}"
        return PrivateNetwork(str(network.id), str(subnet.id))


def router(context: Context, provider: str, private: PrivateNetwork) -> str:
    """Makes the router between the two networks.

    Args:
        context: The run.
        provider: The provider network's id.
        private: The self-service network.

    Returns:
        Its id.

    Raises:
        CloudCheckFailed: The API refused.
    """
    with step(context.emit, "Router") as evidence, api_errors("create the router"):
        name = context.intend(Kind.ROUTER, "router")
        made = context.user.network.create_router(name=name, external_gateway_info={"network_id": provider})
        context.user.network.add_interface_to_router(made.id, private.subnet)
        gateway = (made.external_gateway_info or {}).get("external_fixed_ips") or [{}]
        evidence.text = f"{name}: {SELF_SERVICE[1]} inside, {gateway[0].get('ip_address', 'an address')} outside"
        return str(made.id)


def security_group(context: Context) -> str:
    """Makes a group that lets ICMP and SSH in. The project's default group stays as it is.

    Returns:
        Its id.

    Raises:
        CloudCheckFailed: The API refused.
    """
    with step(context.emit, "Security group") as evidence, api_errors("create the security group"):
        name = context.intend(Kind.SECURITY_GROUP, "access")
        group = context.user.network.create_security_group(name=name, description="ICMP and SSH from anywhere")
        for rule in ({"protocol": "icmp"}, {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}):
            context.user.network.create_security_group_rule(
                security_group_id=group.id, direction="ingress", ether_type="IPv4", **rule
            )
        evidence.text = f"{name}: icmp, tcp/22"
        return str(group.id)


@dataclass(frozen=True)
class Addresses:
    """A server's two addresses."""

    fixed: IPv4Address
    floating: IPv4Address


def floating_ip(context: Context, provider: str, server_id: str, server_name: str) -> Addresses:
    """Gives a server a floating IP, as soon as nova has made its port: while the server is still being built.

    Args:
        context: The run.
        provider: The provider network's id; its router must be there.
        server_id: The server.
        server_name: For messages.

    Raises:
        CloudCheckFailed: No port came, or the API refused.
    """
    with step(context.emit, f"Floating IP for {server_name}") as evidence:

        def port() -> Any:
            with api_errors(f"list the ports of {server_name}"):
                found = [one for one in context.user.network.ports(device_id=server_id) if one.fixed_ips]
            return found[0] if found else Pending("it has no port with an address")

        made = context.wait(port, f"nova to make the port of {server_name}", timeout=60)
        description = context.intend(Kind.FLOATING_IP, "ip")
        with api_errors(f"create a floating IP for {server_name}"):
            address = context.user.network.create_ip(
                floating_network_id=provider, port_id=made.id, description=description
            )
        addresses = Addresses(IPv4Address(made.fixed_ips[0]["ip_address"]), IPv4Address(address.floating_ip_address))
        evidence.text = f"{addresses.floating} -> {addresses.fixed}"
        return addresses
