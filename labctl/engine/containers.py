"""A lab's containers, found again from their labels: the engine is the truth, no file beside it."""

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import docker
from docker.errors import NotFound

from labctl.engine.labels import Entry, containers_of

SERVICE_LABEL = "org.labctl.service"
NODE_LABEL = "org.labctl.node"
DEFINITION_LABEL = "org.labctl.definition"
CONFIGURATION_LABEL = "org.labctl.configuration"
SOURCE_LABEL = "org.labctl.source"
PAGE_LABEL = "org.labctl.page"
"""What a service has for browsers, as its Compose template says."""

STOP_SECONDS = 2
"""How long a container that is restarted for its developer may take to end by itself."""


@dataclass(frozen=True)
class ServiceState:
    """One service of a lab, as the engine sees its container.

    Attributes:
        service: The service's name in the Compose file.
        container: The container's id.
        status: created, running, restarting, exited, paused, dead.
        health: starting, healthy, unhealthy, or empty where it has no health check.
        exit_code: Of a container that has exited; else None.
        since: What the engine says in words, such as "Up 3 seconds".
        definition: The digest of the service's definition that the container was made from.
        image: The id of its image.
        source: The source tree that it runs from; empty where it runs what its image holds.
        name: The container's name.
        configuration: The digest of the configuration that it was made for.
        networks: The engine's name of each network that it is in to that network's id; empty before its first start,
            and where it runs without an interface there.
        node: The node whose network namespace it joined; empty for the control plane.
        page: The address of what it has for browsers; empty where it has nothing.
        deaths: How often it died and was restarted by the engine, since somebody started it; looked at by
            `count_deaths`, else 0.
    """

    service: str
    container: str
    status: str
    health: str
    exit_code: int | None
    since: str
    definition: str = ""
    image: str = ""
    source: str = ""
    name: str = ""
    configuration: str = ""
    networks: Mapping[str, str] = field(default_factory=dict)
    node: str = ""
    page: str = ""
    deaths: int = 0

    @property
    def summary(self) -> str:
        """One word for people: healthy, running, starting, unhealthy, done, failed, ..."""
        if self.status == "exited":
            return "done" if self.exit_code == 0 else "failed"
        if self.status == "running":
            return {"": "running"}.get(self.health, self.health)
        return self.status

    @property
    def is_ready(self) -> bool:
        """Whether nothing more is expected of it: healthy, running without a health check, or a job that is done."""
        return self.summary in ("healthy", "running", "done")

    @property
    def is_dying(self) -> bool:
        """Whether it dies again and again, starting in between; one death may be for want of another service."""
        return self.status == "restarting" or self.deaths > 1

    @property
    def is_stopped(self) -> bool:
        """Whether nothing of it runs, and nothing will before somebody starts it."""
        return self.status in ("exited", "created")


def service_states(client: docker.DockerClient, lab: str) -> dict[str, ServiceState]:
    """The services of a lab that have a container, by name."""
    return {state.service: state for state in service_containers(client, lab)}


def service_containers(client: docker.DockerClient, lab: str) -> tuple[ServiceState, ...]:
    """All containers of a lab's services; a service has two where somebody was interrupted replacing one."""
    states = (read_state(entry) for entry in containers_of(client, lab, SERVICE_LABEL))
    # The one with the right name last, so that it is the one that counts.
    return tuple(sorted(states, key=lambda state: (state.service, state.name == f"{lab}-{state.service}")))


def read_state(entry: Entry) -> ServiceState:
    """Reads one entry of the engine's list of containers (Docker Engine API, ContainerList)."""
    labels, since = entry["Labels"], str(entry["Status"])
    assert isinstance(labels, dict)  # noqa: S101 - the API's schema
    names: Any = entry.get("Names") or ()
    settings: Any = entry.get("NetworkSettings") or {}
    networks = settings.get("Networks") or {}
    exited = re.match(r"Exited \((\d+)\)", since)
    health = re.search(r"\((?:health: )?(starting|healthy|unhealthy)\)", since)
    return ServiceState(
        service=str(labels[SERVICE_LABEL]),
        container=str(entry["Id"]),
        status=str(entry["State"]),
        health=health.group(1) if health else "",
        exit_code=int(exited.group(1)) if exited else None,
        since=since,
        definition=str(labels.get(DEFINITION_LABEL, "")),
        image=str(entry.get("ImageID", "")),
        source=str(labels.get(SOURCE_LABEL, "")),
        name=next((str(name).removeprefix("/") for name in names), ""),
        configuration=str(labels.get(CONFIGURATION_LABEL, "")),
        networks={name: _joined(one, str(entry["State"])) for name, one in networks.items()},
        node=str(labels.get(NODE_LABEL, "")),
        page=str(labels.get(PAGE_LABEL, "")),
    )


def _joined(network: Mapping[str, Any], status: str) -> str:
    """The id of a network that a container is in; a running one is in it with an endpoint (Docker Engine API).

    An engine whose disk was full was seen to start containers without one.
    """
    return "" if status == "running" and not network.get("EndpointID", "") else str(network["NetworkID"])


def count_deaths(client: docker.DockerClient, state: ServiceState) -> ServiceState:
    """The same, with its deaths where it is about to start; the engine's list of containers does not tell them."""
    return replace(state, deaths=restart_count(client, state.container)) if state.summary == "starting" else state


def restart_count(client: docker.DockerClient, container: str) -> int:
    """How often the engine has restarted a container that died, since somebody started it; 0 where it is gone."""
    try:
        return int(client.api.inspect_container(container)["RestartCount"])
    except NotFound:
        return 0


def started_at(client: docker.DockerClient, container: str) -> datetime | None:
    """When a container was started last; None where it is gone."""
    try:
        return datetime.fromisoformat(client.api.inspect_container(container)["State"]["StartedAt"])
    except NotFound:
        return None


def restart(client: docker.DockerClient, containers: Iterable[str]) -> None:
    """Restarts containers, all at once; returns when they are started."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda container: client.api.restart(container, timeout=STOP_SECONDS), containers))


def last_log_lines(client: docker.DockerClient, container: str, count: int) -> tuple[str, ...]:
    """The end of a container's log, both streams."""
    text = client.api.logs(container, tail=count, stdout=True, stderr=True)
    return tuple(text.decode(errors="replace").splitlines())
