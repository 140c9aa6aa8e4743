"""Names of projects and services, and the source trees that they run from."""

from pathlib import Path

import pytest

from labctl.errors import NotFound
from labctl.lab.sources import Projects

A, B, C = Path("/a"), Path("/b"), Path("/c")
KNOWN = Projects(
    {
        "glance": "glance",
        "nova-api": "nova",
        "nova-scheduler": "nova",
        "node1-nova-compute": "nova",
        "node2-nova-compute": "nova",
        "net-l3-agent": "neutron",
    },
    ("net", "node1", "node2"),
)
COMPUTES = {"node1-nova-compute", "node2-nova-compute"}
NOVA = {"nova-api", "nova-scheduler", *COMPUTES}


@pytest.mark.parametrize(
    ("name", "services"),
    [
        ("nova", NOVA),
        ("nova-compute", COMPUTES),
        ("node2-nova-compute", {"node2-nova-compute"}),
        ("l3-agent", {"net-l3-agent"}),
        ("glance", {"glance"}),
    ],
)
def test_a_name_stands_for_a_project_a_service_or_that_of_one_node(name: str, services: set[str]) -> None:
    assert KNOWN.called(name) == services


@pytest.mark.parametrize(("name", "hint"), [("nova-compte", "'nova-compute'"), ("mariadb", ""), ("node3-nova-api", "")])
def test_a_name_of_nothing_is_refused_with_the_nearest(name: str, hint: str) -> None:
    with pytest.raises(NotFound, match=f"no service '{name}'") as caught:
        KNOWN.called(name)
    assert hint in caught.value.remedy


def test_the_narrower_name_counts_whatever_the_order() -> None:
    sources = {"node1-nova-compute": C, "nova": A, "nova-compute": B}
    for one in (sources, dict(reversed(sources.items()))):
        assert KNOWN.spread(one) == {
            "nova-api": A,
            "nova-scheduler": A,
            "node1-nova-compute": C,
            "node2-nova-compute": B,
        }


def test_a_service_of_every_node_is_kept_under_one_name_so_that_new_nodes_have_it() -> None:
    assert KNOWN.started({}, "nova-compute", A) == {"nova-compute": A}
    more = Projects({**KNOWN.of, "node3-nova-compute": "nova"}, (*KNOWN.nodes, "node3"))
    assert more.spread(KNOWN.started({}, "nova-compute", A))["node3-nova-compute"] == A


def test_one_node_can_run_from_another_tree() -> None:
    both = KNOWN.started({"nova": A}, "node1-nova-compute", B)
    assert both == {"nova-api": A, "nova-scheduler": A, "node1-nova-compute": B, "node2-nova-compute": A}
    assert KNOWN.started(both, "nova", A) == {"nova-api": A, "nova-scheduler": A, "nova-compute": A}


def test_stop_takes_back_what_the_name_stands_for_and_no_more() -> None:
    sources = KNOWN.started({"glance": C}, "nova", A)
    assert KNOWN.stopped(sources, "nova-api") == {"glance": C, "nova-scheduler": A, "nova-compute": A}
    assert KNOWN.stopped(sources, "node2-nova-compute")["node1-nova-compute"] == A
    assert KNOWN.stopped(sources, "nova") == {"glance": C}
    assert KNOWN.stopped({}, "nova") == {}


def test_what_is_said_of_a_node_that_has_left_the_lab_is_no_mistake() -> None:
    assert KNOWN.spread({"node9-nova-compute": A, "glance": B}) == {"glance": B}
    with pytest.raises(NotFound):
        KNOWN.spread({"node9-nova-compte": A})
    with pytest.raises(NotFound):
        KNOWN.started({}, "node9-nova-compute", A)
