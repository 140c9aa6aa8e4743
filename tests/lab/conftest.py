"""One lab for all tests of this folder: brought up once, taken down by the test that compares the machine after it."""

import os
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from openstack.connection import Connection

from labctl.cloud.connection import connect
from labctl.lab.addresses import AddressPlan, Node
from labctl.lab.file import load_lab_file
from labctl.lab.secrets import read_secrets
from labctl.lab.state import LabState
from tests.conftest import Built
from tests.lab.commands import Ran, inspect, labctl, labelled
from tests.lab.figures import measured
from tests.lab.guests import Guests
from tests.lab.machine import Snapshot, snapshot

NAME = "test"
NODES = 2
UP_LIMIT = 40.0
"""Between the limits of one node (35 s) and of three (45 s)."""

ORDER = (
    "test_build",  # before the machine is looked at for the first time: builds leave networks and mounts of BuildKit
    "test_image_contents",
    "test_up",
    "test_demo",
    "test_memory",  # after the work of the demo
    "test_users",
    "test_sockets",
    "test_who_reaches_what",  # makes the packet filter anew
    "test_trespassing",
    "test_node_rights",
    "test_resize",
    "test_live_migration",
    "test_explain",
    "test_trace",
    "test_servers",
    "test_broken_on_purpose",  # breaks services, and mends them
    "test_verify",
    "test_scale",
    "test_commands",  # restarts nova
    "test_console_page",
    "test_dashboard",  # the profile horizon comes and leaves
    "test_dev",  # restarts Keystone
    "test_plan",  # makes containers anew
    "test_upgrade",  # migrates the databases
    "test_object_store",  # the profile swift comes
    "test_glance_on_swift",  # and leaves
    "test_own_service",  # Heat comes and leaves
    "test_stop",  # starts everything anew
    "test_secrets",  # when the logs are full
    "test_snapshot",  # takes the lab down and brings it back; leaves an empty cloud
    "test_tls",  # turns the lab to TLS and back
    "test_block_store",  # brings Cinder and takes it away again
    "test_servers_on_ceph",  # makes Glance and the nodes anew, and again
    "test_down",
    "test_interrupted",  # a lab of its own
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Brings this folder's tests into the order of a lab's life; others stay where they are."""
    here = Path(__file__).parent
    places = [index for index, item in enumerate(items) if item.path.parent == here]
    ours = sorted((items[index] for index in places), key=lambda item: ORDER.index(item.path.stem))
    for index, item in zip(places, ours, strict=True):
        items[index] = item
        # openstacksdk warns of its own internals, and leaves its sockets to the garbage collector.
        item.add_marker(pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"))
        item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
        item.add_marker(pytest.mark.filterwarnings("ignore:Exception ignored in. <socket"))


@dataclass(frozen=True)
class Lab:
    """The lab under test.

    Attributes:
        name: Its name.
        nodes: How many compute nodes it has.
        up: The command that brought it up; None where it was there already (LABCTL_TEST_LAB).
    """

    name: str
    nodes: int
    up: Ran | None

    @property
    def state(self) -> LabState:
        return LabState(self.name)

    @cached_property
    def plan(self) -> AddressPlan:
        address_range = load_lab_file(self.state.lab_file, (), check_files=False).address_range
        assert address_range
        return AddressPlan(address_range)

    @property
    def node_list(self) -> tuple[Node, ...]:
        return self.plan.nodes(load_lab_file(self.state.lab_file, (), check_files=False).nodes)

    @property
    def has_tls(self) -> bool:
        return bool(yaml.safe_load(self.state.lab_file.read_text())["tls"])

    @property
    def trusted_key(self) -> str:
        """The SHA-256 of the public key of the proxy that ends TLS, in Base64; empty without TLS."""
        if not self.has_tls:
            return ""
        key = load_pem_private_key(read_secrets(self.state.secrets)["tls.proxy"].encode(), None).public_key()
        return b64encode(sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()).decode()

    def containers(self) -> dict[str, dict[str, Any]]:
        """Service to what the engine knows of its container, at this moment."""
        found = inspect("container", labelled(self.name)["containers"])
        label = "org.labctl.service"  # the pings of these tests have none
        return {one["Config"]["Labels"][label]: one for one in found if label in one["Config"]["Labels"]}

    def of_node(self, service: str) -> bool:
        """Whether a service is a node's holder or one of those in it."""
        return any(service == node.name or service.startswith(f"{node.name}-") for node in self.node_list)


@pytest.fixture(scope="session")
def machine_before(built: Built, profiles_built: None) -> Snapshot:
    """The machine before there was a lab of these tests."""
    return snapshot("before-up")


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest, built: Built) -> Iterator[Lab]:
    """A lab with two nodes: LABCTL_TEST_LAB names one that runs, else one is brought up; LABCTL_TEST_TLS: with TLS."""
    name = os.environ.get("LABCTL_TEST_LAB")
    if name:
        yield Lab(name, len(load_lab_file(LabState(name).lab_file, (), check_files=False).nodes), None)
        return
    request.getfixturevalue("machine_before")
    try:
        tls = ["--tls"] if os.environ.get("LABCTL_TEST_TLS") else []
        ran = labctl("up", "--name", NAME, "--nodes", str(NODES), *tls, "--progress", "json", timeout=600)
        assert ran.code == 0, str(ran)
        # TLS may take so much longer.
        measured(" ".join(["labctl up --nodes", str(NODES), *tls]), ran.seconds, "s", UP_LIMIT + 3 * len(tls))
        yield Lab(NAME, NODES, ran)
    finally:
        # test_down has done it, unless it was not asked to run.
        if LabState(NAME).folder.exists() or any(labelled(NAME).values()):
            labctl("down", "--name", NAME)


@pytest.fixture(scope="module")
def admin(lab: Lab) -> Iterator[Connection]:
    """The cloud, as its admin; anew for each module: a token has the catalog of when it was made, and services come."""
    connection = connect(lab.state.clouds_yaml, f"{lab.name}-admin")
    yield connection
    connection.session.session.close()
    connection.close()


@pytest.fixture(scope="module")
def guests(admin: Connection) -> Iterator[Guests]:
    """A network, a router, flavors and an image to boot servers from; removed before the lab goes."""
    made = Guests(admin)
    try:
        made.prepare()
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def reached(lab: Lab, guests: Guests) -> Guests:
    """The same, and the host can ping servers and log in to them."""
    guests.reach_from_host(lab.plan)
    guests.let_in(22)
    return guests
