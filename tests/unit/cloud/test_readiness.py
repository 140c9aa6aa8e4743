from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from labctl.cloud.readiness import (
    CloudView,
    ComputeService,
    Expected,
    NetworkAgent,
    departed,
    drained,
    fetch_view,
    missing,
)

BRIDGE = "neutron-linuxbridge-agent"
EXPECTED = Expected(
    nodes=("node1", "node2"),
    agents={"node1": frozenset({BRIDGE}), "net": frozenset({BRIDGE, "neutron-l3-agent"})},
)
REPORTED = "2026-11-22T10:05:41.000000"
ALL = frozenset({"VCPU", "MEMORY_MB", "DISK_GB"})
READY = CloudView(
    services=(ComputeService("node1", "up", "enabled"), ComputeService("node2", "up", "enabled")),
    hypervisors=frozenset({"node1", "node2"}),
    inventories={"node1": ALL, "node2": ALL},
    agents=(
        NetworkAgent("node1", BRIDGE, True),
        NetworkAgent("net", BRIDGE, True),
        NetworkAgent("net", "neutron-l3-agent", True),
    ),
)


def test_nothing_is_missing_from_a_ready_cloud() -> None:
    assert missing(READY, EXPECTED) == ()


def test_a_full_domain_name_is_the_same_host() -> None:
    view = replace(
        READY,
        hypervisors=frozenset({"node1.lab", "node2"}),
        inventories={"node1.lab": ALL, "node2": ALL},
    )
    assert missing(view, EXPECTED) == ()


def test_node1_is_not_node10() -> None:
    view = replace(READY, hypervisors=frozenset({"node10", "node2"}))
    assert missing(view, EXPECTED) == ("The hypervisor of node1 is not visible: its host is not mapped into the cell.",)


@pytest.mark.parametrize(
    ("view", "sentence"),
    [
        (replace(READY, services=READY.services[:1]), "nova-compute on node2 has not registered."),
        (
            replace(READY, services=(READY.services[0], ComputeService("node2", "down", "enabled"))),
            "nova-compute on node2 is down and enabled.",
        ),
        (
            replace(READY, services=(READY.services[0], ComputeService("node2", "up", "disabled", "AUTO: no libvirt"))),
            "nova-compute on node2 is up and disabled.",
        ),
        (replace(READY, inventories={"node1": ALL}), "node2 has no resource provider in placement."),
        (
            replace(READY, inventories={"node1": ALL, "node2": frozenset({"VCPU"})}),
            "The resource provider of node2 has no inventory of MEMORY_MB, DISK_GB.",
        ),
        (replace(READY, agents=READY.agents[:2]), "neutron-l3-agent on net has not registered."),
        (
            replace(READY, agents=(*READY.agents[1:], NetworkAgent("node1", BRIDGE, False))),
            "neutron-linuxbridge-agent on node1 is not alive.",
        ),
    ],
)
def test_each_thing_missing_is_one_sentence(view: CloudView, sentence: str) -> None:
    assert missing(view, EXPECTED) == (sentence,)


def test_an_empty_cloud_lacks_everything() -> None:
    assert len(missing(CloudView((), frozenset(), {}, ()), EXPECTED)) == 2 * 3 + 3


def test_a_node_that_somebody_took_out_of_service_is_ready_and_named() -> None:
    aside = ComputeService("node2", "up", "disabled", "labctl: drained")
    view = replace(READY, services=(READY.services[0], aside))
    assert missing(view, EXPECTED) == ()
    assert drained(view, EXPECTED) == ("node2 (labctl: drained)",)
    assert drained(READY, EXPECTED) == ()
    assert drained(view, replace(EXPECTED, nodes=("node1",))) == ()


def test_a_node_that_left_is_known_by_its_service_or_an_agent_or_its_provider() -> None:
    assert departed(READY, EXPECTED) == ()
    services = (*READY.services, ComputeService("node3", "down", "disabled", "labctl: drained"))
    agents = (*READY.agents, NetworkAgent("node5", BRIDGE, False))
    view = replace(READY, services=services, agents=agents, inventories={**READY.inventories, "node10.lab": ALL})
    assert missing(view, EXPECTED) == ()
    assert departed(view, EXPECTED) == ("node3", "node5", "node10")


def test_what_has_no_name_of_a_node_has_not_left() -> None:
    assert departed(replace(READY, inventories={**READY.inventories, "shared-storage": ALL}), EXPECTED) == ()


@pytest.mark.parametrize(
    ("host", "binary", "view"),
    [
        (
            "node2",
            "nova-compute",
            lambda of: replace(READY, services=(READY.services[0], replace(READY.services[1], reported=of))),
        ),
        (
            "net",
            "neutron-l3-agent",
            lambda of: replace(READY, agents=(*READY.agents[:2], replace(READY.agents[2], reported=of))),
        ),
    ],
)
def test_a_report_of_before_the_start_is_none(
    host: str, binary: str, view: Callable[[datetime | None], CloudView]
) -> None:
    started = datetime(2026, 11, 22, 10, 0, 30, 500000, tzinfo=UTC)
    expected = replace(EXPECTED, started={(host, binary): started})
    sentence = f"{binary} on {host} has not reported since it was started."
    assert missing(view(started - timedelta(seconds=0.5)), expected) == (sentence,)
    assert missing(view(started + timedelta(seconds=0.5)), expected) == ()
    # One that has just registered for the first time reports later.
    assert missing(view(None), expected) == ()
    # Of a start that nobody asks about, every report counts.
    assert missing(view(started - timedelta(hours=1)), EXPECTED) == ()


def test_the_times_of_reports_are_utc() -> None:
    view = fetch_view(cloud(FakePlacement({"node1": FULL_SET}, [])), ("node1",))
    assert view.services[0].reported == view.agents[0].reported == datetime(2026, 11, 22, 10, 5, 41, tzinfo=UTC)


@dataclass
class FakePlacement:
    """Placement's answers: every provider's inventories, and who has room."""

    inventories: dict[str, dict[str, int]]
    requests: list[str]
    full: frozenset[str] = frozenset()

    def resource_providers(self, resources: str | None = None) -> list[Any]:
        self.requests.append(f"providers {resources}")
        wanted = {one.split(":")[0] for one in resources.split(",")} if resources else set()
        return [
            SimpleNamespace(name=name, id=f"id-{name}")
            for name, has in self.inventories.items()
            if not resources or (wanted <= set(has) and name not in self.full)
        ]

    def resource_provider_inventories(self, identifier: str) -> list[Any]:
        self.requests.append(f"inventories {identifier}")
        return [
            SimpleNamespace(resource_class=name, total=total)
            for name, total in self.inventories[identifier.removeprefix("id-")].items()
        ]


def cloud(placement: FakePlacement) -> Any:
    log = placement.requests

    def services(binary: str) -> list[Any]:
        log.append(f"services {binary}")
        return [SimpleNamespace(host="node1", state="up", status="enabled", disabled_reason=None, updated_at=REPORTED)]

    def hypervisors() -> list[Any]:
        log.append("hypervisors")
        return [SimpleNamespace(name="node1")]

    def agents() -> list[Any]:
        log.append("agents")
        return [SimpleNamespace(host="node1", binary=BRIDGE, is_alive=True, last_heartbeat_at=REPORTED)]

    return SimpleNamespace(
        compute=SimpleNamespace(services=services, hypervisors=hypervisors),
        network=SimpleNamespace(agents=agents),
        placement=placement,
    )


FULL_SET = {"VCPU": 2, "MEMORY_MB": 1024, "DISK_GB": 10}


def test_a_ready_cloud_is_seen_with_four_requests() -> None:
    placement = FakePlacement({"node1": FULL_SET}, [])
    view = fetch_view(cloud(placement), ("node1",))
    assert missing(view, Expected(("node1",), {"node1": frozenset({BRIDGE})})) == ()
    assert len(placement.requests) == 4


def test_a_node_without_room_is_ready_all_the_same() -> None:
    placement = FakePlacement({"node1": FULL_SET, "node2": FULL_SET}, [], full=frozenset({"node2"}))
    view = fetch_view(cloud(placement), ("node1", "node2"))
    assert view.inventories == {"node1": ALL, "node2": ALL}


def test_a_provider_without_disk_is_seen_as_such() -> None:
    placement = FakePlacement({"node1": {"VCPU": 2, "MEMORY_MB": 1024, "DISK_GB": 0, "PCPU": 1}}, [])
    placement.full = frozenset({"node1"})
    assert fetch_view(cloud(placement), ("node1",)).inventories == {"node1": frozenset({"VCPU", "MEMORY_MB"})}
