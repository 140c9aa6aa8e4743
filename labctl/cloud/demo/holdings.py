"""The cloud as `cleanup.Holdings`: finds and removes by the names that only this run's things carry."""

from collections.abc import Iterable
from typing import Any

import openstack.exceptions
from openstack.connection import Connection

from labctl.cloud.connection import api_errors
from labctl.cloud.demo.cleanup import Kind, Made, StillUsed


class CloudHoldings:
    """Things in a lab's cloud.

    Args:
        admin: For flavor, image and provider network.
        user: For everything else.
    """

    def __init__(self, admin: Connection, user: Connection) -> None:
        self._admin = admin
        self._user = user

    def find(self, made: Made) -> tuple[str, ...]:
        """The ids of what carries the name.

        Raises:
            CloudCheckFailed: The API did not answer.
        """
        with api_errors(f"look for the {made}"):
            return tuple(str(found.id) for found in self._candidates(made))

    def remove(self, made: Made, identifier: str) -> None:
        """Removes it; a server is still there for some seconds after.

        Raises:
            CloudCheckFailed: The API refused.
            StillUsed: Something else uses it.
        """
        with api_errors(f"remove the {made}"):
            try:
                self._delete(made.kind, identifier)
            except openstack.exceptions.ConflictException as error:
                raise StillUsed(str(error.details or error)) from error

    def _candidates(self, made: Made) -> Iterable[Any]:
        # The API filters where it can. Its answer is filtered again: a filter that an API does not know is ignored
        # by it, and this is about what to delete.
        admin, user, name = self._admin, self._user, made.name
        match made.kind:
            case Kind.SERVER:
                # Nova takes the name as a regular expression, and the servers of a run share the prefix.
                return (one for one in user.compute.servers(details=False, name=name) if one.name.startswith(name))
            case Kind.FLOATING_IP:
                return (one for one in user.network.ips(description=name) if one.description == name)
            case Kind.ROUTER:
                return _named(name, user.network.routers(name=name))
            case Kind.NETWORK:
                return _named(name, user.network.networks(name=name))
            case Kind.SECURITY_GROUP:
                return _named(name, user.network.security_groups(name=name))
            case Kind.SERVER_GROUP:
                return _named(name, user.compute.server_groups())
            case Kind.KEYPAIR:
                return _named(name, user.compute.keypairs())
            case Kind.FLAVOR:
                return _named(name, admin.compute.flavors())
            case Kind.IMAGE:
                return (one for one in admin.image.images(tag=name) if name in one.tags)
            case Kind.PROVIDER_NETWORK:
                return _named(name, admin.network.networks(name=name))

    def _delete(self, kind: Kind, identifier: str) -> None:
        admin, user = self._admin, self._user
        match kind:
            case Kind.SERVER:
                user.compute.delete_server(identifier)
            case Kind.FLOATING_IP:
                user.network.delete_ip(identifier)
            case Kind.ROUTER:
                self._delete_router(identifier)
            case Kind.NETWORK:
                user.network.delete_network(identifier)  # and its subnets, as no port but DHCP's is left
            case Kind.SECURITY_GROUP:
                user.network.delete_security_group(identifier)
            case Kind.SERVER_GROUP:
                user.compute.delete_server_group(identifier)
            case Kind.KEYPAIR:
                user.compute.delete_keypair(identifier)
            case Kind.FLAVOR:
                admin.compute.delete_flavor(identifier)
            case Kind.IMAGE:
                admin.image.delete_image(identifier)
            case Kind.PROVIDER_NETWORK:
                admin.network.delete_network(identifier)

    def _delete_router(self, identifier: str) -> None:
        # A router's gateway goes with it, its interfaces do not.
        for port in self._user.network.ports(device_id=identifier):
            if str(port.device_owner).startswith("network:router_interface"):
                self._user.network.remove_interface_from_router(identifier, None, port.id)
        self._user.network.delete_router(identifier)


def _named(name: str, things: Iterable[Any]) -> Iterable[Any]:
    return (one for one in things if one.name == name)
