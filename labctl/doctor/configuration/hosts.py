"""Hosts that files name: each must be known to somebody else, and files that say the same thing must name the same."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import islice

from labctl.doctor.check import Evidence, check
from labctl.doctor.configuration.authentication import KEYSTONE_URLS
from labctl.doctor.configuration.facts import ConfigurationFacts
from labctl.findings import Place

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 - looked for, not bound
MOST_SHOWN = 3
MOST_HOSTS = 3000
"""Of all files: each is compared with all others; what comes after them is not looked at."""

_URLS_OF = {
    **dict.fromkeys(KEYSTONE_URLS, "Keystone"),
    "transport_url": "the broker",
    "connection": "the database",
    "memcached_servers": "memcached",
    "memcache_servers": "memcached",
    "nova_metadata_host": "nova's metadata API",
    "nova_metadata_ip": "nova's metadata API",
    "rabbit_host": "the broker",
}
"""Option to what its hosts are of."""
_URLS_OF_SECTION = frozenset({"endpoint_override", "url", "api_servers"})
"""Options whose hosts are of the service that the section is called by."""


@dataclass(frozen=True)
class Named:
    """A host that a line names.

    Attributes:
        host: The host; one that stands for the file's own host is that host.
        of: What is there: Keystone, the broker, the endpoint of image.
        what: The line, for people.
        place: Where it is.
        same: Lines of which this is the same must name the same host.
    """

    host: str
    of: str
    what: str
    place: Place
    same: tuple[str, ...]

    @property
    def key(self) -> str:
        """The host without a domain: `controller` and `controller.example.org` are one host."""
        return self.host if self.host.replace(".", "").isdigit() or ":" in self.host else self.host.partition(".")[0]


def named_hosts(facts: ConfigurationFacts) -> Iterator[Named]:
    """Every host that a file, or the catalog of services, says something to be at."""
    yield from islice(_named_hosts(facts), MOST_HOSTS)


def _named_hosts(facts: ConfigurationFacts) -> Iterator[Named]:
    for value in facts.values:
        of = f"[{value.section}]" if value.name in _URLS_OF_SECTION else _URLS_OF.get(value.name)
        for host in value.hosts if of else ():
            own = value.host if host in LOCAL and value.host else host
            same = (value.service, value.section, value.name)
            yield Named(own.lower(), of or "", f"{value.option} names {host}", value.value_place, same)
    for one in facts.endpoints:
        what = f"the {one.interface} endpoint of {one.type} is {one.url}"
        yield Named(one.host.lower(), f"the endpoint of {one.type}", what, one.place, (one.type, one.interface))


@check(
    "host-unknown",
    title="A host that nothing else names",
    why="Everything else is at other hosts: this one is misspelled or from another installation, and who follows it "
    "waits for a host that does not answer or whose name has no address.",
    remedy="Name the host that the other lines name; of an endpoint: `openstack endpoint set --url URL ID`, or "
    "`openstack endpoint delete ID` where there is another one.",
)
def host_unknown(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Hosts that one thing is said to be at, where other lines say that it is elsewhere, and that nobody else knows."""
    everything = tuple(named_hosts(facts))
    known = _known(facts)
    lines_of = Counter(one.key for one in everything)
    for of, group in _grouped(everything).items():
        counts = Counter(one.key for one in group)
        for one in group:
            if lines_of[one.key] != counts[one.key] or one.key in known or one.key in LOCAL:
                continue
            others = [other for other in group if other.key != one.key]
            better = [other for other in others if lines_of[other.key] > lines_of[one.key] or other.key in known]
            if better:
                yield Evidence((one.what, *_elsewhere(of, better)), one.place)


@check(
    "host-differs",
    title="Files of one service that name different hosts",
    why="Two hosts of one service then talk to different brokers, databases or Keystones, and do not see each other.",
    remedy="Name the same host in both; where both names are of one host, take the same name all the same.",
)
def host_differs(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """The same option of the same service, with another host on another host."""
    everything = tuple(named_hosts(facts))
    unknown = {evidence.place for evidence in host_unknown.look(facts)}
    same = _names_of_one_host(facts)
    lines_of = Counter(same.get(one.key, one.key) for one in everything)
    groups: dict[tuple[str, ...], list[Named]] = defaultdict(list)
    for one in everything:
        if one.of != "memcached" and not one.of.startswith("the endpoint"):
            groups[one.same].append(one)
    for group in groups.values():
        by_file: dict[str, set[str]] = defaultdict(set)
        for one in group:
            by_file[one.place.path].add(same.get(one.key, one.key))
        most = most_named(by_file.values(), lines_of)
        for one in group:
            if same.get(one.key, one.key) not in most and one.place not in unknown:
                others = [other for other in group if same.get(other.key, other.key) in most]
                yield Evidence((one.what, *_elsewhere(one.of, others)), one.place, is_error=False)


def most_named(files: Iterable[Set[str]], lines_of: Mapping[str, int]) -> Set[str]:
    """The hosts that most files name; among equals those that more lines of anything name."""
    counts = Counter(frozenset(hosts) for hosts in files)
    return max(counts, key=lambda hosts: (counts[hosts], sum(lines_of[host] for host in hosts)))


@check(
    "endpoint-twice",
    title="Two endpoints for one thing",
    why="Clients take the one that Keystone lists first, which may change; if one of them is wrong, requests fail now "
    "and then.",
    remedy="`openstack endpoint delete ID` of the one that is wrong.",
)
def endpoint_twice(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Endpoints of the same service, interface and region."""
    groups = defaultdict(list)
    for one in facts.endpoints:
        groups[one.type, one.interface, one.region].append(one)
    for (type_, interface, _), group in groups.items():
        for one in group[1:]:
            lines = (f"the {interface} endpoint of {type_} is {one.url}", f"and {group[0].url}: {group[0].place}")
            yield Evidence(lines, one.place)


def _grouped(everything: Iterable[Named]) -> Mapping[str, list[Named]]:
    """Lines by what they say to be at a host; all endpoints are one thing: they are nearly always at one host."""
    groups: dict[str, list[Named]] = defaultdict(list)
    for one in everything:
        groups["the endpoints" if one.of.startswith("the endpoint of") else one.of].append(one)
    return groups


def _known(facts: ConfigurationFacts) -> frozenset[str]:
    """What the hosts are called whose files these are, and their own addresses."""
    own = (value.text for value in facts.values if value.name in {"my_ip", "host", "local_ip", "bind_host"})
    return (
        frozenset(name.partition(".")[0] if not name[:1].isdigit() else name for name in (*own, *facts.host_names))
        - ANY
    )


def _names_of_one_host(facts: ConfigurationFacts) -> Mapping[str, str]:
    """Address to name, of the hosts that say their own address (`my_ip`)."""
    return {value.text: value.host.partition(".")[0] for value in facts.named("my_ip") if value.host}


def _elsewhere(of: str, others: Iterable[Named]) -> tuple[str, ...]:
    """Where others say it to be."""
    places: dict[str, list[Place]] = defaultdict(list)
    for other in others:
        places[other.host].append(other.place)
    most_first = sorted(places.items(), key=lambda item: -len(item[1]))
    return tuple(f"{of}: {host} in {len(at)} other line(s), such as {at[0]}" for host, at in most_first[:MOST_SHOWN])


CHECKS = (host_unknown, host_differs, endpoint_twice)
