"""What servers are made of: images, room, quotas, addresses."""

import re
from collections import Counter
from collections.abc import Iterator

from labctl.doctor.check import Evidence, check
from labctl.doctor.lab.facts import LabFacts
from labctl.lab.devices import router_namespace

NO_VALID_HOST = "No valid host was found"


@check(
    "image-checksum",
    title="An image whose data is not what was uploaded",
    why="Nova refuses to start servers from it, or they start with a broken disk.",
    remedy="Delete the image and upload it again: `labctl openstack image delete ID`, `image create --file FILE NAME`.",
)
def image_checksum(facts: LabFacts) -> Iterator[Evidence]:
    """Checksums of Glance's files against its database; images in other stores are left alone."""
    for image in facts.health.images if facts.checksums else ():
        found = (facts.checksums or {}).get(image.id)
        if found and image.algorithm == "sha512" and found != image.checksum:
            line = f"{image.name} ({image.id}): sha512 {found[:16]}..., Glance's database has {image.checksum[:16]}..."
            yield Evidence((line,))


@check(
    "no-valid-host",
    title="No host for a server",
    why="The scheduler found no node that takes the server.",
    remedy="`labctl node add`, delete servers, or take a smaller flavor; `labctl explain SERVER` says more.",
)
def no_valid_host(facts: LabFacts) -> Iterator[Evidence]:
    """Servers without a host, and what each node says now."""
    for server in facts.health.failed:
        if NO_VALID_HOST in server.fault:
            nodes = (f"{node.name}: {node.room}" for node in facts.nodes)
            yield Evidence((f"{server.name} ({server.id}): {server.fault}", *nodes))


@check(
    "server-error",
    title="A server in ERROR",
    why="It does not run, and nova does nothing with it but delete or rebuild it.",
    remedy="`labctl explain SERVER` tells what happened, the first cause on top; then delete it.",
)
def server_error(facts: LabFacts) -> Iterator[Evidence]:
    """Servers in ERROR for another reason."""
    for server in facts.health.failed:
        if NO_VALID_HOST not in server.fault:
            yield Evidence((f"{server.name} ({server.id}): {server.fault or 'nova gives no reason'}",))


@check(
    "quota",
    title="A quota is used up",
    why="The next server, port or address of that project is refused (403).",
    remedy="`labctl openstack quota set --RESOURCE N PROJECT`, or delete what nobody needs.",
)
def quota(facts: LabFacts) -> Iterator[Evidence]:
    """Quotas of which everything is used."""
    for one in facts.health.quotas:
        if one.used >= one.limit and one.used:
            line = f"{one.resource} of the project {one.project}: {one.used} of {one.limit} are used"
            yield Evidence((line,), is_error=False)


@check(
    "floating-ip-nat",
    title="A floating IP that nothing translates",
    why="Packets for it reach the router and go no further: the server cannot be reached from outside.",
    remedy="`docker restart LAB-net-l3-agent`: the agent writes its rules anew; `labctl logs net-l3-agent` says more.",
)
def floating_ip_nat(facts: LabFacts) -> Iterator[Evidence]:
    """Floating IPs without their rules in the namespace of their router."""
    for one in facts.health.floating:
        if one.router not in facts.translations:
            continue
        rules = facts.translations[one.router]
        if rules is None:
            yield Evidence((f"{one.address}: the router {one.router} has no namespace on the network node",))
            continue
        wanted = {
            "DNAT": rf"-d {re.escape(one.address)}/32 .*-j DNAT --to-destination {re.escape(one.fixed)}\b",
            "SNAT": rf"-s {re.escape(one.fixed)}/32 .*-j SNAT --to-source {re.escape(one.address)}\b",
        }
        lacking = [name for name, pattern in wanted.items() if not re.search(pattern, rules)]
        if lacking:
            what = " and ".join(lacking)
            yield Evidence((f"{one.address} for {one.fixed}: no rule of {what} in {router_namespace(one.router)}",))


@check(
    "dhcp-missing",
    title="A network with servers and without DHCP",
    why="Its servers get no address when they start or renew their lease.",
    remedy="`docker restart LAB-NODE-dhcp-agent`: the agent starts its servers anew; `labctl logs NODE-dhcp-agent`.",
)
def dhcp_missing(facts: LabFacts) -> Iterator[Evidence]:
    """Networks that no living agent serves, or of whose agents one runs no dnsmasq."""
    for network in facts.health.served:
        alive = [host for host, is_alive in network.agents if is_alive]
        if not alive:
            of = ", ".join(f"{host} is not alive" for host, _ in network.agents) or "none serves it"
            yield Evidence((f"{network.name} ({network.id}): no DHCP agent: {of}",))
            continue
        silent = [host for host in alive if network.id not in facts.dhcp_servers.get(host, (network.id,))]
        if silent:
            yield Evidence((f"{network.name} ({network.id}): no dnsmasq runs for it on {', '.join(silent)}",))


@check(
    "dhcp-twice",
    title="Two DHCP servers for one network on one node",
    why="Servers get answers from both, and one of them is out of date.",
    remedy="`docker restart LAB-NODE-dhcp-agent`: it ends what it did not start.",
)
def dhcp_twice(facts: LabFacts) -> Iterator[Evidence]:
    """Networks with more than one dnsmasq on a node."""
    for node, networks in facts.dhcp_servers.items():
        for network, count in Counter(networks).items():
            if count > 1:
                yield Evidence((f"{count} dnsmasq processes run for the network {network} on {node}",))


CHECKS = (image_checksum, no_valid_host, server_error, quota, floating_ip_nat, dhcp_missing, dhcp_twice)
