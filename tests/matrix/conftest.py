"""One lab for the matrix, with a server that has a floating IP, so that every fault finds something to break."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.cloud.connection import connect
from labctl.errors import NotFound
from labctl.fault.objects import Objects
from tests.conftest import Built
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.examining import Known, look_at, wait_until_well
from tests.lab.guests import Guests

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
    objects, guests = Objects(lambda: admin), Guests(admin)
    try:
        try:
            objects.server_port("node1")
            objects.floating_ip()
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
def known(lab: Lab, server: None) -> Known:
    """What is wrong with the lab from the start: nothing, unless it is one that others work with."""
    if lab.up is None:
        return look_at(lab.name)
    wait_until_well(lab.name)
    return frozenset()
