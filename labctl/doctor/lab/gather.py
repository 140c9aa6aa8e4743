"""Looks at a lab that is up: its engine, its APIs, its files, its nodes."""

import socket
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labctl.bringup.migrate import read_stamps, stamps_of
from labctl.bringup.plan import DATABASE
from labctl.bringup.ready import expected_of
from labctl.bringup.up import runtime_references
from labctl.catalog.folders import CatalogFolders
from labctl.cloud.connection import connect
from labctl.cloud.health import Credentials, fetch_health, login_refusal
from labctl.cloud.nodes.view import fetch_nodes
from labctl.cloud.readiness import fetch_view
from labctl.cloud.wiring import fetch_wiring
from labctl.configuration.ini import read_ini
from labctl.doctor.lab.facts import LabFacts, Service, ServiceLogin
from labctl.doctor.lab.node_network import NodeNetwork, parse_node_network
from labctl.doctor.urls import host_of_url
from labctl.engine.broker import BROKER, broker_permissions
from labctl.engine.containers import ServiceState, last_log_lines, service_states
from labctl.engine.inside import (
    address_translations,
    database_seconds,
    dhcp_servers,
    file_systems,
    filter_fault,
    image_checksums,
    node_network,
)
from labctl.engine.process import CommandFailed
from labctl.errors import CloudCheckFailed
from labctl.lab.addresses import NETWORK_NODE, AddressPlan, broker_port
from labctl.lab.file import LabFile
from labctl.lab.state import LabState
from labctl.render.compose import FILTER

if TYPE_CHECKING:
    import docker

LOG_LINES = 5
API_SECONDS = 15.0
"""Whoever asks what is wrong does not want to wait a minute for an API that is dead."""
BROKER_USER = "openstack"
DHCP_AGENT = "-dhcp-agent"
IMAGE_FOLDER = "/var/lib/glance/images"
"""As config-templates/glance/glance-api.conf.j2 says."""


def gather_lab(
    folders: CatalogFolders, client: "docker.DockerClient", lab: LabFile
) -> tuple[LabFacts, tuple[str, ...]]:
    """Looks at a lab.

    Args:
        folders: The catalog.
        client: The engine.
        lab: A lab that has containers.

    Returns:
        The facts, and what could not be looked at.
    """
    state = LabState(lab.name)
    assert lab.address_range  # noqa: S101 - a lab that is up has one
    plan = AddressPlan(lab.address_range)
    states = service_states(client, lab.name)
    facts = LabFacts(
        name=lab.name,
        gateway=str(plan.gateway),
        services=tuple(services(client, state.services, states)),
        broker=str(plan.broker),
        broker_port=broker_port(tls=lab.tls),
        plan=plan.nodes(lab.nodes),
        expected=expected_of(plan.nodes(lab.nodes), state.services),
        schemas_behind=schemas_behind(client, state, runtime_references(folders, lab.release, lab.profiles)[DATABASE]),
    )
    running = {name: one.name for name, one in states.items() if one.status == "running"}
    facts, left_out = with_storage(facts, state.services, running)
    if FILTER in running:
        check = state.services[FILTER]["healthcheck"]["test"][1:]
        facts = replace(facts, filter_fault=filter_fault(running[FILTER], check))
    try:
        facts = with_cloud(facts, state, lab)
    except CloudCheckFailed as error:
        # The nodes' kernels answer all the same, and may be why the cloud does not.
        facts, more = with_networks(replace(facts, refusal=error), running)
        return facts, (*left_out, "what the cloud's APIs say", *more)
    facts, of_networks = with_networks(facts, running)
    facts, of_insides = with_insides(facts, running)
    return facts, (*left_out, *of_networks, *of_insides)


def services(
    client: "docker.DockerClient", wanted: Iterable[str], states: Mapping[str, ServiceState]
) -> Iterator[Service]:
    """The lab's services, with the end of the log of those that are not well."""
    for name in wanted:
        one = states.get(name)
        if one is None:
            yield Service(name, "", "missing")
            continue
        log = () if one.is_ready else last_log_lines(client, one.container, LOG_LINES)
        # A job ends; a service that ended well does not run all the same.
        state = one.summary if one.summary != "done" or is_job(client, one) else "exited"
        yield Service(name, one.name, state, one.since, log)


def is_job(client: "docker.DockerClient", one: ServiceState) -> bool:
    """Whether a container is meant to end: the engine shall not start it again."""
    policy = client.api.inspect_container(one.container)["HostConfig"]["RestartPolicy"]["Name"]
    return policy in ("no", "", "on-failure")


def schemas_behind(client: "docker.DockerClient", state: LabState, database: str) -> dict[str, str]:
    """The databases that were migrated by other packages than those of the images that are there."""
    import docker

    stamps = read_stamps(client, state, database)
    try:
        wanted = stamps_of(client.images.get(database).labels)
    except docker.errors.ImageNotFound:
        return {}
    return {
        schema: f"the databases of {schema} are those of {stamps[schema]}, and the image's are of {stamp}"
        for schema, stamp in wanted.items()
        if stamps and schema in stamps and stamps[schema] != stamp
    }


def with_cloud(facts: LabFacts, state: LabState, lab: LabFile) -> LabFacts:
    """Adds what the cloud's APIs say.

    Raises:
        CloudCheckFailed: One did not answer.
    """
    admin = connect(state.clouds_yaml, f"{state.name}-admin", API_SECONDS)
    health = fetch_health(admin)
    return replace(
        facts,
        view=fetch_view(admin, lab.nodes),
        # Who asks for a reason why no node takes a server wants to know what the nodes have.
        nodes=fetch_nodes(admin, lab.nodes) if health.failed else (),
        health=health,
        wiring=fetch_wiring(admin),
        unresolved=unresolved(one.url for one in health.endpoints),
        logins=tuple(logins(state.rendered, trust=state.ca_file if lab.tls else None)),
    )


def unresolved(urls: Iterable[str]) -> frozenset[str]:
    """The hosts that have no address here."""
    return frozenset(host for url in urls if (host := host_of_url(url)) and not _has_address(host))


def _has_address(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        try:
            socket.getaddrinfo(host, None)
        except OSError:
            return False
    return True


def logins(project: Path, trust: Path | None) -> Iterator[ServiceLogin]:
    """The users that the services' files have, each tried once.

    Args:
        project: The folder with the files.
        trust: The certificate of the authority that Keystone's is issued by; None without TLS.
    """
    found: dict[Credentials, str] = {}
    for path in sorted((*project.glob("etc/**/*.conf"), *project.glob("etc/**/*.ini"))):
        for credentials in credentials_of(path):
            found.setdefault(credentials, str(path.relative_to(project)))
    with ThreadPoolExecutor(4) as pool:
        refusals = pool.map(partial(login_refusal, trust=trust), found)
        for (credentials, file), refusal in zip(found.items(), refusals, strict=True):
            yield ServiceLogin(credentials.username, file, refusal)


def credentials_of(path: Path) -> Iterator[Credentials]:
    """The users of one file: sections with auth_type = password."""
    sections: dict[str, dict[str, str]] = {}
    for setting in read_ini(path).settings:
        sections.setdefault(setting.section, {})[setting.name] = setting.value
    names = Credentials.__dataclass_fields__
    for values in sections.values():
        if values.get("auth_type") == "password" and {"auth_url", "username", "password"} <= values.keys():
            yield Credentials(**{name: value for name, value in values.items() if name in names})


def with_insides(facts: LabFacts, containers: Mapping[str, str]) -> tuple[LabFacts, tuple[str, ...]]:
    """Adds what only a look into containers tells, of those that run."""
    left_out = []
    try:
        if BROKER in containers:
            facts = replace(facts, broker_rights=broker_permissions(containers[BROKER], BROKER_USER))
        if "glance" in containers and facts.health.images:
            facts = replace(facts, checksums=image_checksums(containers["glance"], IMAGE_FOLDER))
        l3_agent = containers.get(f"{NETWORK_NODE}-l3-agent")
        if l3_agent:
            routers = sorted({one.router for one in facts.health.floating})
            facts = replace(facts, translations={router: address_translations(l3_agent, router) for router in routers})
        agents = {name.removesuffix(DHCP_AGENT): one for name, one in containers.items() if name.endswith(DHCP_AGENT)}
        facts = replace(facts, dhcp_servers={node: dhcp_servers(agent) for node, agent in agents.items()})
    except CommandFailed as error:
        left_out.append(f"what is inside of containers: {error.what}")
    return facts, tuple(left_out)


def with_storage(
    facts: LabFacts, definitions: Mapping[str, Any], containers: Mapping[str, str]
) -> tuple[LabFacts, tuple[str, ...]]:
    """Adds where services write to, and how fast the database works; all at once."""
    folders = {name: data_folders(definitions.get(name, {})) for name in containers}
    names = [name for name, found in folders.items() if found]
    with ThreadPoolExecutor(8) as pool:
        looks = {name: pool.submit(file_systems, containers[name], folders[name]) for name in names}
        work = pool.submit(database_seconds, containers[DATABASE]) if DATABASE in containers else None
    left_out = [
        f"where {name} writes to" for name, look in looks.items() if isinstance(look.exception(), CommandFailed)
    ]
    if work and isinstance(work.exception(), CommandFailed):
        left_out.append("how fast the database works")
        work = None
    seen = {name: look.result() for name, look in looks.items() if not isinstance(look.exception(), CommandFailed)}
    seconds = work.result() if work else None
    return replace(facts, file_systems=seen, database_seconds=seconds), tuple(left_out)


def data_folders(definition: Mapping[str, Any]) -> tuple[str, ...]:
    """Where a service of the Compose file has volumes; what begins with a path is the machine's."""
    pairs = (str(volume).split(":")[:2] for volume in definition.get("volumes", []))
    return tuple(where for source, where in pairs if not source.startswith((".", "/")))


def with_networks(facts: LabFacts, containers: Mapping[str, str]) -> tuple[LabFacts, tuple[str, ...]]:
    """Adds what the kernels of the nodes say, of those whose holder runs; all at once."""

    def look(node: str) -> NodeNetwork | CommandFailed:
        try:
            return parse_node_network(node_network(containers[node], facts.wiring.routers))
        except CommandFailed as error:
            return error

    names = [node.name for node in facts.plan if node.name in containers]
    with ThreadPoolExecutor(8) as pool:
        seen = dict(zip(names, pool.map(look, names), strict=True))
    networks = {name: one for name, one in seen.items() if isinstance(one, NodeNetwork)}
    left_out = (f"the network of {name}: {one.what}" for name, one in seen.items() if isinstance(one, CommandFailed))
    return replace(facts, networks=networks), tuple(left_out)
