"""Whether the lab's services run, know each other, and have the databases that they expect."""

from collections.abc import Iterator

from labctl.cloud.readiness import Kind, Lack, lacking
from labctl.doctor.check import Evidence, check, refusal
from labctl.doctor.lab.facts import LabFacts
from labctl.doctor.urls import host_of_url
from labctl.findings import Fix
from labctl.lab.names import filter_table

WELL = frozenset({"healthy", "running", "done", "starting"})
STARTS = {
    "failed": "start",
    "dead": "start",
    "exited": "start",
    "created": "start",
    "paused": "unpause",
}
"""State of a container to docker's command that has it run again."""


@check(
    "service-dead",
    title="A service does not run",
    why="What it does is not done; others that need it fail or wait.",
    remedy="`labctl up` starts what is missing; `labctl logs SERVICE` shows why it ended.",
)
def service_dead(facts: LabFacts) -> Iterator[Evidence]:
    """Containers that are missing, have ended, are paused, or fail their health check."""
    for service in facts.services:
        if service.state in WELL:
            continue
        command = STARTS.get(service.state)
        fix = Fix(f"{command} {service.name}", ("docker", command, service.container)) if command else None
        said = f"{service.name} is {service.state}" + (f": {service.since}" if service.since else "")
        yield Evidence((said, *(f"  {line}" for line in service.log)), fix=fix)


@check(
    "lab-unfiltered",
    title="The lab's table in the machine's packet filter is not what it shall be",
    why="Neighbours, guests, containers and users of this machine reach what is not for them: Nova's metadata, the "
    "broker, the nodes.",
    remedy="`docker restart LAB-filter` puts it in place again. Whoever flushes all rules (`nft flush ruleset`, a "
    "restart of nftables) takes it away; a firewall that keeps to its own tables does not.",
)
def lab_unfiltered(facts: LabFacts) -> Iterator[Evidence]:
    """What the health check of the service `filter` says at this moment."""
    if facts.filter_fault:
        container = f"{facts.name}-filter"
        lines = (f"table inet {filter_table(facts.name)}: {facts.filter_fault}",)
        yield Evidence(lines, fix=Fix("put it in place again", ("docker", "restart", container)))


@check(
    "cloud-silent",
    title="The cloud's APIs do not answer",
    why="Nothing can be asked of the cloud, and nobody can use it.",
    remedy="`labctl status` shows which service is not healthy, `labctl logs SERVICE` why.",
)
def cloud_silent(facts: LabFacts) -> Iterator[Evidence]:
    """What the first API that did not answer said."""
    if facts.refusal:
        yield refusal(facts.refusal)


@check(
    "endpoint-host",
    title="An endpoint that leads somewhere else",
    why="Clients and services that take this endpoint from the catalog wait for a host that is not the lab's, or whose "
    "name has no address.",
    remedy="`labctl openstack endpoint set --url URL ID`, or `... endpoint delete ID` where there is another.",
)
def endpoint_host(facts: LabFacts) -> Iterator[Evidence]:
    """Endpoints at another host than the control plane's."""
    for one in facts.health.endpoints:
        host = host_of_url(one.url)
        if host != facts.gateway:
            lines = [f"the {one.interface} endpoint of {one.type} is {one.url} (id {one.id})"]
            lines += [f"{host} has no address here"] if host in facts.unresolved else []
            yield Evidence((*lines, f"the control plane is at {facts.gateway}"))


@check(
    "service-user",
    title="A service user that gets no token",
    why="The service cannot check its callers' tokens, nor call other services.",
    remedy="`labctl openstack user show USER` and `labctl openstack role assignment list --user USER --names` show "
    "what is missing; `labctl openstack user set --password-prompt USER` gives it the password of that file.",
)
def service_user(facts: LabFacts) -> Iterator[Evidence]:
    """Users of [keystone_authtoken], [placement] and so on whom Keystone refuses."""
    for one in facts.logins:
        if one.refusal:
            yield Evidence((f"{one.user}, of {one.file}: {one.refusal}",))


@check(
    "broker-permissions",
    title="The broker's user may not do what services need",
    why="Services cannot make their queues, or read or write messages: agents look dead, requests time out.",
    remedy='`labctl exec rabbitmq /usr/lib/rabbitmq/bin/rabbitmqctl set_permissions openstack ".*" ".*" ".*"`',
)
def broker_permissions(facts: LabFacts) -> Iterator[Evidence]:
    """The three rights of RabbitMQ: configure, write, read, each for every name."""
    if facts.broker_rights is None:
        return
    lacking = [right for right in ("configure", "write", "read") if facts.broker_rights.get(right) != ".*"]
    if lacking:
        given = ", ".join(f"{right} {facts.broker_rights.get(right) or 'nothing'}" for right in lacking)
        yield Evidence((f"the user openstack may {given}; .* is needed",))


@check(
    "node-not-ready",
    title="A compute service or agent is down",
    why="No server starts on that node, or servers there have no network.",
    remedy="`labctl status`, `labctl logs NODE-SERVICE`; `labctl up` starts what does not run. One that runs and is "
    "down has lost the broker or its clock: `labctl logs rabbitmq`.",
)
def node_not_ready(facts: LabFacts) -> Iterator[Evidence]:
    """What a bring-up waits for, but for hosts that are not mapped and services that nova disabled."""
    for lack in lacks(facts):
        if lack.kind in (Kind.SERVICE, Kind.RESOURCES):
            yield Evidence((lack.sentence,))


def lacks(facts: LabFacts) -> tuple[Lack, ...]:
    """What the cloud lacks; nothing is known of that where its APIs do not answer."""
    return () if facts.refusal else lacking(facts.view, facts.expected)


@check(
    "host-unmapped",
    title="A host that is not mapped into a cell",
    why="The scheduler does not know the host: servers go elsewhere, or there is no valid host.",
    remedy="`labctl exec nova-conductor nova-manage cell_v2 discover_hosts --by-service`",
)
def host_unmapped(facts: LabFacts) -> Iterator[Evidence]:
    """Compute services whose hypervisor the API does not list (nova lists those of mapped hosts)."""
    for lack in lacks(facts):
        if lack.kind is Kind.MAPPING:
            # By service: else it finds only hosts that were never mapped.
            mapping = ("nova-manage", "cell_v2", "discover_hosts", "--by-service")
            command = ("docker", "exec", f"{facts.name}-nova-conductor", *mapping)
            yield Evidence((lack.sentence,), fix=Fix("map hosts into their cell", command))


@check(
    "compute-disabled",
    title="A compute service that nova took out of service",
    why="No new server goes there.",
    remedy="Look for the reason in `labctl logs NODE-nova-compute`; then `labctl node drain NODE --undo`.",
)
def compute_disabled(facts: LabFacts) -> Iterator[Evidence]:
    """Services that are disabled, and that no person disabled."""
    for one in facts.view.services:
        if one.status == "disabled" and not one.stands_aside:
            yield Evidence((f"nova-compute on {one.host} is {one.state} and disabled: {one.reason}",))


@check(
    "schema-behind",
    title="Databases that other packages migrated",
    why="The service asks for tables and columns that are not there.",
    remedy="`labctl up` migrates them.",
)
def schema_behind(facts: LabFacts) -> Iterator[Evidence]:
    """Schemas whose stamp is not that of the image that runs."""
    for sentence in facts.schemas_behind.values():
        yield Evidence((sentence,))


CHECKS = (
    service_dead,
    lab_unfiltered,
    cloud_silent,
    endpoint_host,
    service_user,
    broker_permissions,
    node_not_ready,
    host_unmapped,
    compute_disabled,
    schema_behind,
)
