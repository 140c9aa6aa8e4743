"""Servers for tests, through openstacksdk: made small, looked at, removed again."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from openstack.connection import Connection
from openstack.exceptions import NotFoundException

from labctl.build.guest import export_guest
from labctl.build.naming import naming
from labctl.cloud.ssh import GuestShell, SshKey, new_key, try_login
from labctl.cloud.waiting import Pending, wait_until
from labctl.lab.addresses import AddressPlan
from labctl.lab.state import cache_root

LOOK_EVERY = 0.25
SECONDS = 300.0
PREFIX = "labctl-test"


class Guests:
    """What servers need, and the servers; `remove` takes everything away in reverse order.

    Args:
        admin: The cloud, as admin.
        owner: Whose image, network and router they are; else the admin's.
    """

    def __init__(self, admin: Connection, owner: Connection | None = None) -> None:
        self.admin = admin
        self.owner = owner or admin
        self._made = ExitStack()
        self._key: SshKey | None = None
        self.image: Any = None
        self.network: Any = None
        self.router: Any = None
        self.outside: Any = None
        self.flavors: list[Any] = []

    def prepare(self) -> None:
        """Image, two flavors, and a self-service network behind a router, so that DHCP and metadata have work."""
        self._sources()
        self._networks()

    def prepare_flat(self, plan: AddressPlan) -> None:
        """Image, two flavors, and no network but the provider's, with DHCP; pings and logins from the host get in."""
        self._sources()
        self.network = self._make("network", lambda: self._provider_network(plan, dhcp=True))
        self._let_pings_in()
        self.let_in(22)

    def _sources(self) -> None:
        guest = export_guest(naming("2024.2").reference("guest"), cache_root() / "guests")
        self.image = self._make("image", lambda: self._upload(guest.path, guest.min_ram))
        for ram in (guest.min_ram, guest.min_ram + 64):
            name = f"{PREFIX}-{ram}"
            self.flavors.append(self._make("flavor", self._flavor(name, ram)))

    def _upload(self, path: Path, min_ram: int) -> Any:
        with path.open("rb") as data:
            return self.owner.image.create_image(
                PREFIX, data=data, disk_format="qcow2", container_format="bare", meta={"min_ram": min_ram}
            )

    def _flavor(self, name: str, ram: int) -> Callable[[], Any]:
        return lambda: self.admin.compute.create_flavor(name=name, ram=ram, vcpus=1, disk=1)

    def flavor_with(self, **more: int) -> Any:
        """A flavor as the first one, with more to it, such as `ephemeral`, in GB, or `swap`, in MB."""
        name, ram = f"{PREFIX}-more", self.flavors[0].ram
        return self._make(
            "flavor", lambda: self.admin.compute.create_flavor(name=name, ram=ram, vcpus=1, disk=1, **more)
        )

    def _networks(self) -> None:
        api = self.owner.network
        self.network = self._make("network", lambda: api.create_network(name=PREFIX))
        subnet = api.create_subnet(network_id=self.network.id, ip_version=4, cidr="192.168.77.0/24")
        self.router = self._make("router", lambda: api.create_router(name=PREFIX))
        api.add_interface_to_router(self.router, subnet_id=subnet.id)
        self._made.callback(api.remove_interface_from_router, self.router, subnet_id=subnet.id)

    def reach_from_host(self, plan: AddressPlan) -> None:
        """Connects the router with the provider network, and lets pings in; there may be one flat network only."""
        api = self.admin.network
        self.outside = next(iter(api.networks(provider_physical_network="provider")), None)
        if self.outside is None:
            self.outside = self._make("network", lambda: self._provider_network(plan))
        api.update_router(self.router, external_gateway_info={"network_id": self.outside.id})
        self._made.callback(api.update_router, self.router, external_gateway_info={})
        self._let_pings_in()

    def _let_pings_in(self) -> None:
        api = self.admin.network
        group = next(one for one in api.security_groups(project_id=self.network.project_id) if one.name == "default")
        self._make(
            "security_group_rule",
            lambda: api.create_security_group_rule(
                security_group_id=group.id, direction="ingress", ethertype="IPv4", protocol="icmp"
            ),
        )

    def let_in(self, port: int) -> None:
        """Lets TCP connections to a port of all servers in."""
        api = self.admin.network
        group = next(one for one in api.security_groups(project_id=self.network.project_id) if one.name == "default")
        self._make(
            "security_group_rule",
            lambda: api.create_security_group_rule(
                security_group_id=group.id,
                direction="ingress",
                ethertype="IPv4",
                protocol="tcp",
                port_range_min=port,
                port_range_max=port,
            ),
        )

    def _provider_network(self, plan: AddressPlan, *, dhcp: bool = False) -> Any:
        first, last = plan.floating_pool
        network = self.admin.network.create_network(
            name=f"{PREFIX}-outside",
            is_router_external=True,
            provider_network_type="flat",
            provider_physical_network="provider",
        )
        self.admin.network.create_subnet(
            network_id=network.id,
            ip_version=4,
            cidr=str(plan.provider),
            gateway_ip=str(plan.provider_gateway),
            allocation_pools=[{"start": str(first), "end": str(last)}],
            is_dhcp_enabled=dhcp,
        )
        return network

    def floating_ip(self, server: Any) -> str:
        """Gives a server an address for the host."""
        port = next(iter(self.admin.network.ports(device_id=server.id)))
        made = self._make(
            "ip", lambda: self.admin.network.create_ip(floating_network_id=self.outside.id, port_id=port.id)
        )
        return str(made.floating_ip_address)

    def _key_pair(self) -> str:
        """The name of a key pair for logins, which is made when it is first needed."""
        if self._key is None:
            self._key = new_key(PREFIX)
            self.admin.compute.create_keypair(name=PREFIX, public_key=self._key.public)
            self._made.callback(self.admin.compute.delete_keypair, PREFIX)
        return PREFIX

    def log_in(self, server: Any) -> GuestShell:
        """Logs in to a server that was booted for that, over a floating IP of its own."""
        return self.log_in_at(server, self.floating_ip(server))

    def log_in_at(self, server: Any, text: str) -> GuestShell:
        """Logs in to a server that was booted for that, at an address."""
        assert self._key is not None
        key, address = self._key, IPv4Address(text)
        return wait_until(lambda: try_login(address, "lab", key, 5), f"ssh to {server.name}", SECONDS, LOOK_EVERY)

    def _make(self, kind: str, make: Callable[[], Any]) -> Any:
        made = make()
        proxy = {"image": self.admin.image, "flavor": self.admin.compute}.get(kind, self.admin.network)
        self._made.callback(getattr(proxy, f"delete_{kind}"), made)
        return made

    def boot(
        self, name: str, node: str, *, image: str = "", volume: str = "", flavor: Any = None, log_in: bool = False
    ) -> tuple[Any, float]:
        """Boots a server on a node; the admin may name it. Returns it and the seconds from the request to ACTIVE.

        Args:
            name: Part of its name.
            node: Where.
            image: The id of an image other than the guest's own.
            volume: The id of a volume to boot from in place of an image.
            flavor: One other than the first.
            log_in: Whether `log_in` shall work; the host must be let in (`let_in`).
        """
        begin = time.monotonic()
        disk = {"uuid": volume, "source_type": "volume", "destination_type": "volume", "boot_index": 0}
        server = self.admin.compute.create_server(
            name=f"{PREFIX}-{name}",
            flavor_id=(flavor or self.flavors[0]).id,
            **({"block_device_mapping": [disk]} if volume else {"image_id": image or self.image.id}),
            **({"key_name": self._key_pair()} if log_in else {}),
            networks=[{"uuid": self.network.id}],
            availability_zone=f"nova:{node}",
        )
        self._made.callback(self.delete, server)
        return self.reach(server, "ACTIVE"), time.monotonic() - begin

    def keep(self, server: Any) -> None:
        """Takes over a server that somebody else has made: it is removed with the others."""
        self._made.callback(self.delete, server)

    def reach(self, server: Any, status: str) -> Any:
        """Waits for a status; ERROR ends the wait with nova's own words."""

        def look() -> Any:
            seen = self.admin.compute.get_server(server.id)
            assert seen.status != "ERROR", f"{seen.name} went to ERROR: {seen.fault}"
            if seen.task_state:
                return Pending(f"{seen.status}, task {seen.task_state}")
            if seen.status == status:
                return seen
            failed = self._failed_migration(server)
            assert not failed, f"{seen.name} is {seen.status} and not {status}; {failed}"
            return Pending(f"{seen.status}, no task")

        return wait_until(look, f"{server.name} to become {status}", SECONDS, LOOK_EVERY)

    def _failed_migration(self, server: Any) -> str:
        """Nova leaves a server as it was where its move fails, and says so in the record of the migration alone."""
        records = self.admin.compute.migrations(server_id=server.id)
        return "; ".join(
            f"its {one.migration_type} from {one.source_compute} to {one.dest_compute} failed: "
            f"`labctl logs {one.source_compute}-nova-compute` says why"
            for one in records
            if one.status == "error"
        )

    def delete(self, server: Any) -> None:
        """Deletes a server and waits until it is gone; one that is gone already is no error."""

        def gone() -> bool | Pending:
            try:
                return Pending(self.admin.compute.get_server(server.id).status)
            except NotFoundException:
                return True

        self.admin.compute.delete_server(server.id, ignore_missing=True)
        wait_until(gone, f"{server.name} to be gone", SECONDS, LOOK_EVERY)

    def remove(self) -> None:
        self._made.close()
