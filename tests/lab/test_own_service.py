"""A service of one's own: the worked example of docs/adding-a-service.md, Heat, added as data alone."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from openstack.connection import Connection
from openstack.exceptions import NotFoundException

from labctl.cloud.connection import connect
from labctl.cloud.waiting import Pending, wait_until
from tests.conftest import ROOT, Built
from tests.lab.commands import Ran, labctl
from tests.lab.conftest import Lab
from tests.lab.swift import MINUTES, identities

EXAMPLE = ROOT / "examples" / "heat"
FOLDERS = ("images", "compose", "config-templates")
SERVICES = ("heat-schema", "heat-api", "heat-engine")
STACK = "labctl-test"
NETWORK = "labctl-test-stack"
TEMPLATE = {
    "heat_template_version": "2021-04-16",
    "resources": {
        "word": {"type": "OS::Heat::RandomString", "properties": {"length": 12}},
        "network": {"type": "OS::Neutron::Net", "properties": {"name": NETWORK}},
    },
    "outputs": {"word": {"value": {"get_attr": ["word", "value"]}}},
}


@dataclass(frozen=True)
class Added:
    """The lab with the service: what changed, and how to run labctl with this catalog."""

    changed: set[str]
    came: set[str]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of commands that work with a copy of the catalog and the example in it."""
    root = tmp_path_factory.mktemp("catalog")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copytree(EXAMPLE, root, dirs_exist_ok=True)
    return {**os.environ, "LABCTL_CATALOG": str(root)}


def run(catalog: dict[str, str], *arguments: str) -> Ran:
    ran = labctl(*arguments, env=catalog, timeout=MINUTES)
    assert ran.code == 0, str(ran)
    return ran


@pytest.fixture(scope="module")
def heat(lab: Lab, built: Built, catalog: dict[str, str]) -> Iterator[Added]:
    run(catalog, "build", "heat", "--progress", "plain")
    before = identities(lab)
    run(catalog, "up", "--name", lab.name, "--with", "heat", "--progress", "json")
    after = identities(lab)
    yield Added({name for name in before if before[name] != after.get(name)}, set(after) - set(before))
    run(catalog, "up", "--name", lab.name, "--without", "heat", "--progress", "json")
    assert not set(SERVICES) & set(lab.containers())


@pytest.fixture(scope="module")
def demo(heat: Added, lab: Lab) -> Iterator[Connection]:
    """The cloud, as an ordinary member of a project."""
    connection = connect(lab.state.clouds_yaml, lab.name)
    yield connection
    connection.session.session.close()
    connection.close()


def test_the_example_is_data_alone() -> None:
    files = [path.relative_to(EXAMPLE) for path in EXAMPLE.rglob("*") if path.is_file()]
    assert {file.parts[0] for file in files} == set(FOLDERS)
    assert {file.suffix for file in files} <= {".yaml", ".j2", ".txt"}


def test_only_the_database_the_job_that_registers_it_and_the_filter_start_anew(heat: Added) -> None:
    assert heat.changed == {"mariadb", "identity", "filter"}
    assert heat.came == set(SERVICES)


def test_a_stack_is_made_and_removed(demo: Connection) -> None:
    made = demo.orchestration.create_stack(name=STACK, template=TEMPLATE)

    def status() -> str:
        try:
            stack = demo.orchestration.get_stack(made.id)
        except NotFoundException:
            return "DELETE_COMPLETE"
        assert not stack.status.endswith("FAILED"), stack.status_reason
        return str(stack.status)

    def reach(wanted: str) -> None:
        wait_until(lambda: (now := status()) == wanted or Pending(now), f"the stack to be {wanted}", 300, 0.5)

    try:
        reach("CREATE_COMPLETE")
        outputs = demo.orchestration.get_stack(made.id).outputs
        assert [len(one["output_value"]) for one in outputs] == [12]
        assert demo.network.find_network(NETWORK)
    finally:
        demo.orchestration.delete_stack(made.id)
    reach("DELETE_COMPLETE")
    assert demo.network.find_network(NETWORK) is None
