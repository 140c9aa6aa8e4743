"""Which compute nodes a lab has: a count or names; a node keeps its name and addresses when others come and go."""

from ipaddress import IPv4Network
from pathlib import Path

import pytest
import yaml

from labctl.errors import BadInput
from labctl.lab.addresses import AddressPlan
from labctl.lab.file import LabFile, dump_lab_file, load_lab_file
from labctl.lab.nodes import MOST, node_names, node_number, parse_nodes, with_count


def test_a_count_means_the_first_so_many() -> None:
    assert parse_nodes(3) == ("node1", "node2", "node3") == node_names(3)


def test_names_are_sorted_by_their_numbers() -> None:
    assert parse_nodes(["node10", "node9"]) == ("node9", "node10")


@pytest.mark.parametrize("value", [0, MOST + 1, True, 1.0, "2", None, [], [1], ["node0"], ["node01"], ["node65"]])
def test_what_is_no_nodes(value: object) -> None:
    with pytest.raises(ValueError, match="allowed: a whole number"):
        parse_nodes(value)


def test_only_the_names_of_compute_nodes_have_a_number() -> None:
    assert [node_number(name) for name in ("node1", "node64", "node65", "net", "node1-libvirt", "node1.lab")] == [
        *(1, 64),
        *(None,) * 4,
    ]


def test_a_lab_grows_into_the_lowest_free_numbers_and_shrinks_from_the_highest() -> None:
    assert with_count(("node1", "node3"), 2) == ("node1", "node3")
    assert with_count(("node1", "node3"), 3) == ("node1", "node2", "node3")
    assert with_count(("node1", "node3"), 4) == ("node1", "node2", "node3", "node4")
    assert with_count(("node1", "node3"), 1) == ("node1",)
    assert with_count(node_names(10), 9) == node_names(9)


@pytest.mark.parametrize("count", [0, -1, MOST + 1])
def test_a_lab_cannot_have_so_many(count: int) -> None:
    with pytest.raises(BadInput, match=f"cannot have {count} nodes"):
        with_count(("node1",), count)


@pytest.mark.parametrize(("nodes", "written"), [(["node1", "node2"], 2), (["node1", "node3"], ["node1", "node3"])])
def test_a_lab_file_is_written_in_the_simplest_form(tmp_path: Path, nodes: list[str], written: object) -> None:
    lab = LabFile.model_validate({"nodes": nodes})
    path = tmp_path / "lab.yaml"
    path.write_text(dump_lab_file(lab))
    assert yaml.safe_load(path.read_text())["nodes"] == written
    assert load_lab_file(path, ()) == lab


def test_a_node_keeps_its_addresses_when_another_goes() -> None:
    plan = AddressPlan(IPv4Network("10.20.0.0/22"))
    assert plan.nodes(("node1", "node3"))[-1] == plan.nodes(node_names(3))[-1]


def test_more_nodes_may_take_longer_unless_a_time_was_given() -> None:
    assert LabFile().seconds_to_wait == 300
    assert LabFile.model_validate({"nodes": 20}).seconds_to_wait == 680
    assert LabFile.model_validate({"nodes": 20, "wait_timeout": 60}).seconds_to_wait == 60
