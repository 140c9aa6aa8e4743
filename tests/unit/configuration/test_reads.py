"""Which files a service reads, from the Compose file of a lab."""

from pathlib import Path, PurePosixPath

import pytest

from labctl.configuration.reads import choose, reads_of
from labctl.errors import BadInput, NotFound
from tests.unit.render.fixed_lab import make_plan, read_yaml, render

SERVICES = ("glance", "keystone", "neutron", "nova", "placement")
FILES = render(make_plan())
KNOWN = reads_of(read_yaml(FILES["compose.yaml"])["services"], SERVICES)


@pytest.mark.parametrize(
    ("wanted", "service", "sources"),
    [
        ("nova", "nova-conductor", ["etc/nova/nova.conf", "etc/nova/nova.conf.d"]),
        ("nova-api", "nova-api", ["etc/nova/nova.conf", "etc/nova/nova.conf.d"]),
        ("nova@node2", "node2-nova-compute", ["etc/node2/nova/nova.conf", "etc/node2/nova/nova.conf.d"]),
        ("keystone", "keystone", ["etc/keystone/keystone.conf", "etc/keystone/keystone.conf.d"]),
        (
            "l3-agent@net",
            "net-l3-agent",
            ["etc/net/neutron/neutron.conf", "etc/net/neutron/l3_agent.ini", "etc/net/neutron/neutron.conf.d"],
        ),
        (
            "neutron",
            "neutron-server",
            ["etc/neutron/neutron.conf", "etc/neutron/ml2_conf.ini", "etc/neutron/neutron.conf.d"],
        ),
    ],
)
def test_files_are_those_of_the_command_in_its_order(wanted: str, service: str, sources: list[str]) -> None:
    reads = choose(KNOWN, wanted)
    assert (reads.service, [str(source) for source in reads.sources]) == (service, sources)


def test_every_file_of_the_services_is_read_by_one_of_them() -> None:
    read = {str(source) for reads in KNOWN for source in reads.sources}
    ours = {
        name
        for name in FILES
        if name.endswith((".conf", ".ini")) and PurePosixPath(name).parent.name in SERVICES
    }  # fmt: skip
    # Compute nodes get the files of all agents, and run one of them.
    unused = {name for name in ours - read if PurePosixPath(name).name.endswith("_agent.ini")}
    assert ours - read == unused


def test_several_services_with_different_files_are_not_one() -> None:
    with pytest.raises(BadInput) as caught:
        choose(KNOWN, "neutron@net")
    assert "net-l3-agent" in caught.value.evidence


@pytest.mark.parametrize("wanted", ["mariadb", "novaa", "nova@node9", "rabbitmq"])
def test_what_reads_no_such_files_is_not_found(wanted: str) -> None:
    with pytest.raises(NotFound):
        choose(KNOWN, wanted)


def test_of_a_folder_the_conf_files_count_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "etc/keystone/keystone.conf.d"
    folder.mkdir(parents=True)
    for name in ("01-b.conf", "00-c.conf", "README"):
        (folder / name).touch()
    own = tmp_path / "etc/keystone/keystone.conf"
    assert choose(KNOWN, "keystone").files(tmp_path) == (own, folder / "00-c.conf", folder / "01-b.conf")
