"""What a cloud can do, as it reports it: the part of it that decides which tests make sense."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from openstack.connection import Connection

from labctl.cloud.connection import api_errors


@dataclass(frozen=True)
class Microversions:
    """The range of an API's microversions, such as 2.1 to 2.96; empty where the API has none."""

    least: str = ""
    most: str = ""


@dataclass(frozen=True)
class ImageFeatures:
    """What Glance reports.

    Attributes:
        import_methods: How images can be imported; `web-download` has Glance fetch them.
        stores: The stores that it has.
        has_cache: Whether its image cache is on.
        disk_formats: The disk formats that it takes.
        container_formats: The container formats that it takes.
    """

    import_methods: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    has_cache: bool = False
    disk_formats: tuple[str, ...] = ()
    container_formats: tuple[str, ...] = ()


@dataclass(frozen=True)
class VolumeFeatures:
    """What Cinder reports.

    Attributes:
        microversions: Of its API.
        extensions: Aliases of its extensions.
        backends: The back ends' names.
        storage_protocol: How the first back end is reached, such as `ceph`.
        vendor_name: Who made it.
        has_backup: Whether a backup service is up.
        multiattach_type: A volume type for volumes that several servers may have; empty without one.
    """

    microversions: Microversions = field(default_factory=Microversions)
    extensions: tuple[str, ...] = ()
    backends: tuple[str, ...] = ()
    storage_protocol: str = ""
    vendor_name: str = ""
    has_backup: bool = False
    multiattach_type: str = ""


@dataclass(frozen=True)
class CloudFeatures:
    """What a cloud reports of itself.

    Attributes:
        services: The service types in its catalog: compute, image, ...
        roles: The roles that Keystone has.
        compute: Nova's microversions.
        placement: Placement's microversions.
        compute_nodes: The hosts whose nova-compute is up.
        hypervisor: What they run servers with, such as QEMU.
        network_extensions: Aliases of Neutron's extensions.
        image: Glance.
        volume: Cinder; None without it.
        object_apis: What Swift's /info lists; None without Swift.
    """

    services: frozenset[str]
    roles: frozenset[str]
    compute: Microversions
    placement: Microversions
    compute_nodes: tuple[str, ...]
    hypervisor: str
    network_extensions: tuple[str, ...]
    image: ImageFeatures
    volume: VolumeFeatures | None = None
    object_apis: tuple[str, ...] | None = None


def read_features(admin: Connection) -> CloudFeatures:
    """Asks a cloud what it can do.

    Raises:
        CloudCheckFailed: It did not answer well.
    """
    with api_errors("say what the cloud can do"):
        services = catalog_types(admin)
        return CloudFeatures(
            services=services,
            roles=frozenset(str(role.name) for role in admin.identity.roles()),
            compute=microversions(admin.compute),
            placement=microversions(admin.placement),
            compute_nodes=up_hosts(admin.compute.services(binary="nova-compute")),
            hypervisor=next((str(one.hypervisor_type) for one in admin.compute.hypervisors(details=True)), ""),
            network_extensions=tuple(sorted(str(one.alias) for one in admin.network.extensions())),
            image=image_features(admin),
            volume=volume_features(admin) if services & {"block-storage", "volumev3"} else None,
            object_apis=object_apis(admin) if "object-store" in services else None,
        )


def catalog_types(admin: Connection) -> frozenset[str]:
    """The types of the services in the catalog."""
    access = admin.session.auth.get_access(admin.session)
    return frozenset(str(entry["type"]) for entry in access.service_catalog.catalog)


def microversions(proxy: Any) -> Microversions:
    """The microversions of the API behind one of openstacksdk's proxies."""
    data = proxy.get_endpoint_data()
    if data is None or data.max_microversion is None:
        return Microversions()
    return Microversions(*(".".join(map(str, version)) for version in (data.min_microversion, data.max_microversion)))


def up_hosts(services: Iterable[Any]) -> tuple[str, ...]:
    """The hosts of those services that are enabled and up."""
    return tuple(sorted(str(one.host) for one in services if one.state == "up" and one.status == "enabled"))


def image_features(admin: Connection) -> ImageFeatures:
    """What Glance reports."""
    methods = _answer(admin.image, "/info/import").get("import-methods", {})
    schema = _answer(admin.image, "/schemas/image").get("properties", {})
    stores = _answer(admin.image, "/info/stores").get("stores", ())
    return ImageFeatures(
        import_methods=tuple(methods.get("value", ())),
        stores=tuple(str(store["id"]) for store in stores),
        has_cache=bool(_answer(admin.image, "/cache")),
        disk_formats=_choices(schema, "disk_format"),
        container_formats=_choices(schema, "container_format"),
    )


def volume_features(admin: Connection) -> VolumeFeatures:
    """What Cinder reports."""
    cinder = admin.block_storage
    pools = [pool.capabilities or {} for pool in cinder.backend_pools()]
    multiattach = [kind for kind in cinder.types() if (kind.extra_specs or {}).get("multiattach") == "<is> True"]
    return VolumeFeatures(
        microversions=microversions(cinder),
        extensions=tuple(sorted(str(one.alias) for one in cinder.extensions())),
        backends=tuple(sorted({str(pool.get("volume_backend_name", "")) for pool in pools} - {""})),
        storage_protocol=_first(pools, "storage_protocol"),
        vendor_name=_first(pools, "vendor_name"),
        has_backup=bool(up_hosts(cinder.services(binary="cinder-backup"))),
        multiattach_type=next((str(kind.name) for kind in multiattach), ""),
    )


def object_apis(admin: Connection) -> tuple[str, ...]:
    """What Swift lists in /info, which is at the root of its server and open to all.

    Containers are synchronized among clusters of a realm: without a realm Swift lists the feature, and refuses its use.
    """
    endpoint = urlsplit(admin.object_store.get_endpoint())
    address = urlunsplit((endpoint.scheme, endpoint.netloc, "/info", "", ""))
    listed = admin.session.get(address).json()
    if not listed.get("container_sync", {}).get("realms"):
        listed.pop("container_sync", None)
    return tuple(sorted(listed))


def _answer(proxy: Any, path: str) -> dict[str, Any]:
    """The answer to a request that an API may not know: empty where it does not."""
    answer = proxy.get(path, raise_exc=False)
    return dict(answer.json()) if answer.ok else {}


def _choices(schema: Mapping[str, Any], name: str) -> tuple[str, ...]:
    return tuple(str(choice) for choice in schema.get(name, {}).get("enum", ()) if choice is not None)


def _first(pools: Iterable[Mapping[str, Any]], name: str) -> str:
    values = (pool.get(name) for pool in pools)
    found = next((value for value in values if value), "")
    return str(found[0] if isinstance(found, list) else found)
