"""What a lab shall be: services, networks, volumes and files, read from what was rendered. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from labctl.engine.containers import CONFIGURATION_LABEL, DEFINITION_LABEL, NODE_LABEL
from labctl.engine.networks import BRIDGE_OPTION
from labctl.render.compose import MIGRATIONS
from labctl.yaml_input import load_own_yaml

OWNER = "service:"
"""What `network_mode` starts with where a service is in another one's network namespace."""


@dataclass(frozen=True)
class WantedService:
    """A service.

    Attributes:
        name: What it is called in the Compose file.
        container: The container's name.
        definition: The digest of everything that the Compose file says of it, and of what it mounts.
        configuration: The digest of the rendered files that it mounts.
        image: What its image holds, as `labctl.engine.images` digests it.
        reference: The name of its image.
        mounts: The rendered files and folders that it mounts.
        networks: The networks that it is in, by their names in the Compose file.
        volumes: The volumes that it mounts, likewise.
        waits_for: The services that must be ready before it starts.
        restarts_with: Those of them with which it must start anew when they are made anew.
        owner: The service whose network namespace it is in; empty where it is in none.
        node: The node that it is part of; empty for the control plane.
        is_job: Whether it ends by itself, and others wait for that.
    """

    name: str
    container: str
    definition: str
    configuration: str
    image: str
    reference: str
    mounts: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    volumes: frozenset[str] = frozenset()
    waits_for: frozenset[str] = frozenset()
    restarts_with: frozenset[str] = frozenset()
    owner: str = ""
    node: str = ""
    is_job: bool = False

    def reads(self, path: str) -> bool:
        """Whether a rendered file is among what it mounts."""
        return any(path == mount or path.startswith(f"{mount}/") for mount in self.mounts)


@dataclass(frozen=True)
class WantedNetwork:
    """A network.

    Attributes:
        key: What it is called in the Compose file.
        name: What the engine calls it.
        subnet: Its address range.
        bridge: The name of its device on the host.
    """

    key: str
    name: str
    subnet: str
    bridge: str


@dataclass(frozen=True)
class WantedVolume:
    """A volume.

    Attributes:
        key: What it is called in the Compose file.
        name: What the engine calls it.
        options: The driver's options.
    """

    key: str
    name: str
    options: Mapping[str, str]


@dataclass(frozen=True)
class WantedMigration:
    """How the databases of an image's services are migrated.

    Attributes:
        schema: The image.
        service: In a container of this service's the commands run.
        reference: The name of the image.
        stamp: What the database's volume is stamped with when its schema is that of the image.
        commands: In order.
    """

    schema: str
    service: str
    reference: str
    stamp: str
    commands: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Wanted:
    """A lab as it shall be.

    Attributes:
        services: In an order in which each comes after those that it waits for.
        networks: Its networks.
        volumes: Its volumes.
        files: Path to content: what is rendered, the lab file and the secrets.
        migrations: Those of the schemas that the images know, the database's own first.
    """

    services: tuple[WantedService, ...]
    networks: tuple[WantedNetwork, ...]
    volumes: tuple[WantedVolume, ...]
    files: Mapping[str, bytes] = field(repr=False)
    migrations: tuple[WantedMigration, ...] = ()

    @property
    def jobs(self) -> frozenset[str]:
        """The services that end by themselves."""
        return frozenset(service.name for service in self.services if service.is_job)


def read_wanted(
    compose: bytes, files: Mapping[str, bytes], images: Mapping[str, str], stamps: Mapping[str, str] | None = None
) -> Wanted:
    """Reads what the Compose file asks for.

    Args:
        compose: Its content, as `labctl.render` makes it.
        files: All files of the lab.
        images: Reference of an image to the digest of what it holds.
        stamps: Image with a schema to what its database is stamped with.
    """
    content = load_own_yaml(compose)
    project, services = content["name"], content["services"]
    jobs = {
        other
        for service in services.values()
        for other, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_completed_successfully"
    }
    return Wanted(
        services=in_order(
            {
                name: _service(name, service, content["volumes"], images, is_job=name in jobs)
                for name, service in services.items()
            }
        ),
        networks=tuple(_network(project, key, network) for key, network in content["networks"].items()),
        volumes=tuple(
            WantedVolume(key, f"{project}_{key}", volume.get("driver_opts", {}))
            for key, volume in content["volumes"].items()
        ),
        files=files,
        migrations=tuple(_migrations(services, stamps or {})),
    )


def _migrations(services: Mapping[str, Any], stamps: Mapping[str, str]) -> Iterable[WantedMigration]:
    for name, service in services.items():
        for schema, commands in service.get(MIGRATIONS, {}).items():
            if schema in stamps:
                every = tuple(tuple(map(str, command)) for command in commands)
                yield WantedMigration(schema, name, service["image"], stamps[schema], every)


def in_order(services: Mapping[str, WantedService]) -> tuple[WantedService, ...]:
    """Puts each service after those that it waits for, else as they came."""
    found: dict[str, WantedService] = {}
    begun: set[str] = set()  # a circle is Compose's to refuse, not a reason to walk in it for ever

    def take(name: str) -> None:
        if name not in begun:
            begun.add(name)
            for other in services:
                if other in services[name].waits_for:
                    take(other)
            found[name] = services[name]

    for name in services:
        take(name)
    return tuple(found.values())


def _service(
    name: str,
    service: Mapping[str, Any],
    volumes: Mapping[str, Any],
    images: Mapping[str, str],
    *,
    is_job: bool,
) -> WantedService:
    mode = str(service.get("network_mode", ""))
    owner = mode.removeprefix(OWNER) if mode.startswith(OWNER) else ""
    depends_on = service.get("depends_on", {})
    sources = {volume.split(":")[0] for volume in service.get("volumes", []) if isinstance(volume, str)}
    return WantedService(
        name=name,
        container=service["container_name"],
        definition=service["labels"][DEFINITION_LABEL],
        configuration=service["labels"][CONFIGURATION_LABEL],
        image=images[service["image"]],
        reference=service["image"],
        mounts=frozenset(source.removeprefix("./") for source in sources if source.startswith("./")),
        networks=frozenset(service.get("networks", ())),
        volumes=frozenset(sources & set(volumes)),
        waits_for=frozenset(depends_on) | ({owner} - {""}),
        restarts_with=frozenset(other for other, how in depends_on.items() if how.get("restart")),
        owner=owner,
        node=service["labels"].get(NODE_LABEL, ""),
        is_job=is_job,
    )


def _network(project: str, key: str, network: Mapping[str, Any]) -> WantedNetwork:
    return WantedNetwork(
        key=key,
        name=f"{project}_{key}",
        subnet=network["ipam"]["config"][0]["subnet"],
        bridge=network["driver_opts"][BRIDGE_OPTION],
    )
