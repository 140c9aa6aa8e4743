"""Which services go on while a lab's data is put back, and when none may."""

from dataclasses import replace
from ipaddress import IPv4Network

import pytest
import yaml

from labctl.engine.containers import ServiceState
from labctl.snapshot.put_back import There, ends, obstacle
from tests.unit.render.fixed_lab import make_plan, render
from tests.unit.snapshot.test_manifest import MANIFEST

SNAPSHOT = MANIFEST.model_copy(update={"birth": "one"})


def service(name: str, status: str = "running", health: str = "healthy") -> ServiceState:
    return ServiceState(name, f"id-of-{name}", status, health, 0 if status == "exited" else None, "")


SERVICES = {
    "mariadb": service("mariadb"),
    "nova-api": service("nova-api"),
    "identity": service("identity", "exited", ""),
}
THERE = There(
    wanted=frozenset(SERVICES),
    services=SERVICES,
    images=MANIFEST.images,
    volumes=frozenset({"mariadb", "glance", "rabbitmq"}),
    address_range=IPv4Network("10.20.0.0/22"),
    secrets=MANIFEST.secrets,
    birth="one",
    is_whole=True,
)


def test_services_go_on_where_the_lab_is_that_of_the_snapshot() -> None:
    assert obstacle(SNAPSHOT, THERE) == ""


def test_the_brokers_volume_may_be_in_the_snapshot_or_not() -> None:
    with_broker = SNAPSHOT.model_copy(update={"volumes": {**SNAPSHOT.volumes, "rabbitmq": 1}})
    assert obstacle(with_broker, THERE) == ""


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (None, "no mariadb"),
        (replace(THERE, wanted=frozenset({*SERVICES, "glance"})), "no glance"),
        (replace(THERE, services={**SERVICES, "nova-api": service("nova-api", health="unhealthy")}), "nova-api is unh"),
        (replace(THERE, services={**SERVICES, "nova-api": service("nova-api", "paused")}), "nova-api is paused"),
        (replace(THERE, is_whole=False), "incomplete"),
        (replace(THERE, address_range=IPv4Network("10.24.0.0/22")), "addresses"),
        (replace(THERE, volumes=frozenset({*THERE.volumes, "node4-nova"})), "nodes"),
        (replace(THERE, images={**MANIFEST.images, "labctl/nova:2024.2": "zz"}), "images"),
        (replace(THERE, secrets={**MANIFEST.secrets, "password.keystone.admin": "other"}), "secrets"),
        (replace(THERE, birth="two"), "databases"),
    ],
)
def test_everything_starts_anew_where_it_is_not(there: There | None, said: str) -> None:
    assert said in obstacle(SNAPSHOT, there)


def test_everything_starts_anew_where_nobody_knows_whether_the_databases_are_the_same() -> None:
    assert "databases" in obstacle(MANIFEST, replace(THERE, birth=""))


def test_who_keeps_in_memory_what_is_in_the_database_does_not_go_on() -> None:
    services = yaml.safe_load(render(make_plan(nodes=1))["compose.yaml"])["services"]
    ending = {name for name, definition in services.items() if ends(service(name), definition)}
    assert ending >= {"mariadb", "placement", "nova-scheduler", "nova-conductor", "node1-nova-compute", "node1-libvirt"}
    assert not ending & {"rabbitmq", "node1", "net", "node1-linuxbridge-agent", "neutron-server", "keystone"}
    assert not ends(service("identity", "exited", ""), services["identity"])


def test_the_cache_goes_on_and_forgets() -> None:
    memcached = yaml.safe_load(render(make_plan(nodes=1))["compose.yaml"])["services"]["memcached"]
    assert not ends(service("memcached"), memcached)
    assert memcached["x-forget"] == ["forget-all", "/run/memcached/memcached.sock"]
