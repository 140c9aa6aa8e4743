"""One lab for the matrix, with a server that has a floating IP, so that every fault finds something to break."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.catalog.folders import catalog_folders
from labctl.cli.lookup import lab_file
from labctl.cloud.connection import connect
from labctl.doctor.examine import examine_lab
from labctl.engine.client import engine
from labctl.errors import NotFound
from labctl.fault.objects import Objects
from tests.conftest import Built
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.guests import Guests
from tests.matrix.bench import Bench

NAME = "matrix"
NODES = 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            # openstacksdk warns of its own internals, and leaves its sockets to the garbage collector.
            item.add_marker(pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:Exception ignored in. <socket"))


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A lab with two nodes: LABCTL_TEST_LAB names one that runs, else one is brought up, and taken down."""
    name = os.environ.get("LABCTL_TEST_LAB")
    if name:
        yield Lab(name, NODES, None)
        return
    built: Built = request.getfixturevalue("built")
    assert built
    ran = labctl("up", "--name", NAME, "--nodes", str(NODES), "--progress", "json", timeout=600)
    try:
        assert ran.code == 0, str(ran)
        yield Lab(NAME, NODES, ran)
    finally:
        labctl("down", "--name", NAME)


@pytest.fixture(scope="session")
def server(lab: Lab) -> Iterator[None]:
    """A server on the first node with a floating IP; made where the lab has none."""
    admin = connect(lab.state.clouds_yaml, f"{lab.name}-admin")
    objects, guests = Objects(lambda: admin, lab.plan.provider), Guests(admin)
    try:
        try:
            objects.floating_port("node1")
        except NotFound:
            guests.prepare()
            guests.reach_from_host(lab.plan)
            guests.floating_ip(guests.boot("matrix", "node1")[0])
        yield
    finally:
        guests.remove()
        admin.session.session.close()
        admin.close()


@pytest.fixture(scope="session")
def bench(lab: Lab, server: None) -> Iterator[Bench]:
    """The lab, well; where others work with it, as well as it is."""
    client = engine()
    made = Bench(lab.state, client)
    if lab.up is None:
        report = examine_lab(catalog_folders(), client, lab_file(lab.state))
        made.known = frozenset(finding.evidence for finding in report.findings)
    else:
        made.wait_until_well()
    yield made
    client.close()
