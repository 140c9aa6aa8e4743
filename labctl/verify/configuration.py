"""tempest.conf, out of what the cloud reports and what was made for the run. Pure; nothing in it is written by hand.

The options are Tempest's own: tempest/config.py of the release that images/tempest has.
"""

import configparser
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from labctl.cloud.features import CloudFeatures

GUEST_PORT = 8900
"""Where the guest image is served for Glance to fetch, while tests run."""

FORMATS_FIRST = {
    "container_formats": ("bare", "ami", "ari", "aki", "ovf", "ova"),
    "disk_formats": ("qcow2", "raw", "ami", "ari", "aki", "vhd", "vmdk", "vdi", "iso", "vhdx"),
}
"""The order of Tempest's own defaults (tempest/config.py). Tests rely on it: most make an image of the first formats;
tempest.api.image.v2.test_images.ListUserImagesTest makes the first six pairs and then looks for one that is raw."""


@dataclass(frozen=True)
class Account:
    """The admin, who makes and removes the accounts that tests work with.

    Attributes:
        auth_url: Keystone's address.
        region: The region.
        username: The user.
        password: Its password.
        project: Its project.
        domain: The domain of both.
    """

    auth_url: str
    region: str
    username: str
    password: str = field(repr=False)
    project: str
    domain: str


@dataclass(frozen=True)
class Ingredients:
    """What is made for a run before it begins.

    Attributes:
        prefix: Begins the name of all that tests make.
        image: Id of the guest's image.
        other_image: Id of another one.
        flavor: Id of the flavor that servers have.
        other_flavor: Id of the one that they are resized to.
        external_network: Id of the network that floating IPs are of.
        external_network_name: Its name.
        floating_range: The addresses behind it.
        guest_user: Who logs in to guests.
        guest_properties: Properties that images of the guest have.
    """

    prefix: str
    image: str
    other_image: str
    flavor: str
    other_flavor: str
    external_network: str
    external_network_name: str
    floating_range: IPv4Network
    guest_user: str
    guest_properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Place:
    """Where tests run.

    Attributes:
        folder: Their working folder, inside the container.
        guest_image: The guest's disk image, inside the container.
        address: The host's address in the lab's management network.
        lab_services: The services that the lab runs, by their names in the Compose file.
        dashboard: The address of the dashboard; empty without one.
        ca_file: The certificate of the lab's authority, inside the container; empty without TLS.
    """

    folder: str
    guest_image: str
    address: IPv4Address
    lab_services: frozenset[str] = frozenset()
    dashboard: str = ""
    ca_file: str = ""


Value = str | int | bool | Iterable[str]
Section = Mapping[str, Value]


def tempest_conf(
    features: CloudFeatures, account: Account, bed: Ingredients, place: Place, accounts_file: str = ""
) -> str:
    """Writes tempest.conf.

    Args:
        features: What the cloud can do.
        account: The admin.
        bed: What was made for the run.
        place: Where tests run.
        accounts_file: The file of the accounts that tests work with, inside the container; empty where Tempest makes
            accounts for each class of tests.
    """
    sections: dict[str, Section] = {
        "DEFAULT": {
            # With the requests' headers, which have the request ids.
            "debug": True,
            "use_stderr": False,
            "log_file": f"{place.folder}/tempest.log",
            "resource_name_prefix": bed.prefix,
        },
        "oslo_concurrency": {"lock_path": f"{place.folder}/locks"},
        **_identity(account, accounts_file, place.ca_file),
        **_compute(features, bed, place),
        **_image(features, place),
        **_network(features, bed),
        **_volume(features),
        **_objects(features),
        **({"dashboard": {"dashboard_url": place.dashboard}} if place.dashboard else {}),
        "service_available": {
            "nova": "compute" in features.services,
            "neutron": "network" in features.services,
            "glance": "image" in features.services,
            "cinder": features.volume is not None,
            "swift": features.object_apis is not None,
            "horizon": bool(place.dashboard),
        },
        "scenario": {
            "img_file": place.guest_image,
            "img_disk_format": "qcow2",
            "img_properties": ",".join(f"{key}:{value}" for key, value in bed.guest_properties.items()),
            "dhcp_client": "udhcpc",
        },
        "validation": {
            "connect_method": "floating",
            "auth_method": "keypair",
            "image_ssh_user": bed.guest_user,
            "image_alt_ssh_user": bed.guest_user,
            "floating_ip_range": str(bed.floating_range),
        },
    }
    return write_ini(sections)


def write_ini(sections: Mapping[str, Section]) -> str:
    """Writes a file for oslo.config."""
    parser = configparser.RawConfigParser(default_section="")
    for name, options in sections.items():
        parser.add_section(name)
        for option, value in options.items():
            parser.set(name, option, _text(value))
    text = io.StringIO()
    parser.write(text)
    return text.getvalue()


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int):
        # oslo.config replaces $NAME by the value of another option.
        return str(value).replace("$", "$$")
    return ",".join(value)


def _identity(account: Account, accounts_file: str, ca_file: str) -> dict[str, Section]:
    return {
        "auth": {
            "use_dynamic_credentials": not accounts_file,
            **({"test_accounts_file": accounts_file} if accounts_file else {}),
            "create_isolated_networks": True,
            "tempest_roles": "member",
            "admin_username": account.username,
            "admin_password": account.password,
            "admin_project_name": account.project,
            "admin_domain_name": account.domain,
        },
        "identity": {
            "auth_version": "v3",
            "uri_v3": account.auth_url,
            "region": account.region,
            **({"ca_certificates_file": ca_file} if ca_file else {}),
        },
        # What the services of this release do unless they are told otherwise (oslo.policy, enforce_scope).
        "enforce_scope": dict.fromkeys(("nova", "neutron", "glance", "keystone", "placement"), True),
    }


def _compute(features: CloudFeatures, bed: Ingredients, place: Place) -> dict[str, Section]:
    nodes = features.compute_nodes
    several = len(nodes) > 1
    has_volumes = features.volume is not None
    return {
        "compute": {
            "image_ref": bed.image,
            "image_ref_alt": bed.other_image,
            "flavor_ref": bed.flavor,
            "flavor_ref_alt": bed.other_flavor,
            "min_compute_nodes": len(nodes),
            "hypervisor_type": features.hypervisor,
            "min_microversion": features.compute.least,
            "max_microversion": features.compute.most,
            **({"migration_source_host": nodes[0], "migration_dest_host": nodes[1]} if several else {}),
        },
        "compute-feature-enabled": {
            # On one node as well: the lab's nova resizes in place.
            "resize": True,
            "cold_migration": several,
            "live_migration": several,
            "live_migrate_back_and_forth": several,
            "block_migration_for_live_migration": several,
            "volume_backed_live_migration": several and has_volumes,
            "shelve_migrate": several,
            "stable_rescue": True,
            "hostname_fqdn_sanitization": True,
            "vnc_console": "nova-novncproxy" in place.lab_services,
            "serial_console": "nova-serialproxy" in place.lab_services,
            "volume_multiattach": bool(features.volume and features.volume.multiattach_type),
            # An encrypted volume's key is kept by a key manager.
            "attach_encrypted_volume": "key-manager" in features.services,
            "scheduler_enabled_filters": "all",
        },
        "placement": {
            "min_microversion": features.placement.least,
            "max_microversion": features.placement.most,
        },
    }


def _image(features: CloudFeatures, place: Place) -> dict[str, Section]:
    image = features.image
    # Empty where Glance fetches nothing: the tests that need it are skipped.
    served = f"http://{place.address}:{GUEST_PORT}/" if "web-download" in image.import_methods else ""
    formats = {"disk_formats": image.disk_formats, "container_formats": image.container_formats}
    return {
        "image": {
            "http_image": served and f"{served}image",
            "http_qcow2_image": served and f"{served}image",
            "image_caching_enabled": image.has_cache,
            **{name: tuple(sorted(choices, key=_rank(name))) for name, choices in formats.items() if choices},
        },
        "image-feature-enabled": {"import_image": bool(image.import_methods)},
    }


def _rank(option: str) -> Callable[[str], int]:
    first = FORMATS_FIRST[option]
    return lambda choice: first.index(choice) if choice in first else len(first)


def _network(features: CloudFeatures, bed: Ingredients) -> dict[str, Section]:
    extensions = features.network_extensions
    return {
        "network": {
            "public_network_id": bed.external_network,
            "floating_network_name": bed.external_network_name,
        },
        "network-feature-enabled": {
            "api_extensions": extensions,
            "floating_ips": "router" in extensions,
            "ipv6": True,
            "ipv6_subnet_attributes": True,
            "port_security": "port-security" in extensions,
        },
    }


def _volume(features: CloudFeatures) -> dict[str, Section]:
    volume = features.volume
    if volume is None:
        return {}
    has_several = len(volume.backends) > 1
    return {
        "volume": {
            "min_microversion": volume.microversions.least,
            "max_microversion": volume.microversions.most,
            "storage_protocol": volume.storage_protocol,
            "vendor_name": volume.vendor_name,
            "volume_type_multiattach": volume.multiattach_type,
            **({"backend_names": volume.backends} if has_several else {}),
        },
        "volume-feature-enabled": {
            "api_extensions": volume.extensions or ("all",),
            "multi_backend": has_several,
            "backup": volume.has_backup,
            # libvirt tells a running guest of it (nova/virt/libvirt/driver.py, extend_volume).
            "extend_attached_volume": True,
        },
    }


def _objects(features: CloudFeatures) -> dict[str, Section]:
    if features.object_apis is None:
        return {}
    admin = {"reseller_admin_role": "ResellerAdmin"} if "ResellerAdmin" in features.roles else {}
    return {
        "object-storage": {"operator_role": "member", **admin},
        "object-storage-feature-enabled": {
            "discoverability": True,
            "discoverable_apis": features.object_apis,
            "container_sync": "container_sync" in features.object_apis,
            "object_versioning": "versioned_writes" in features.object_apis,
        },
    }
