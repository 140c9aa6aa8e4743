"""What tests need to find, made in a cloud in a dictionary, and removed."""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from labctl.cloud.connection import connect
from labctl.cloud.demo.target import DemoTarget, GuestImage
from labctl.events import Event
from labctl.verify.ingredients import ingredients, new_prefix

from .fake_cloud import FakeCloud, Serving

pytestmark = [
    # openstacksdk warns of its own internals, and leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket"),
]


@pytest.fixture
def cloud() -> FakeCloud:
    return FakeCloud(("node1", "node2"))


@pytest.fixture
def target(cloud: FakeCloud, tmp_path: Path) -> Iterator[DemoTarget]:
    serving = Serving(cloud)
    clouds_yaml, guest = tmp_path / "clouds.yaml", tmp_path / "guest.qcow2"
    serving.write_clouds_yaml(clouds_yaml, "lab")
    guest.write_bytes(b"guest")
    yield DemoTarget(
        lab="lab",
        clouds_yaml=clouds_yaml,
        gateway_address=IPv4Address("10.77.0.1"),
        provider_network=IPv4Network("10.77.2.0/24"),
        provider_gateway=IPv4Address("10.77.2.1"),
        floating_pool=(IPv4Address("10.77.2.100"), IPv4Address("10.77.2.239")),
        mtu=1500,
        nodes=("node1", "node2"),
        guest=GuestImage("guest", guest, "lab", 96),
    )
    serving.close()


@pytest.mark.parametrize("fails", [False, True])
def test_they_are_there_for_the_run_and_gone_after_it(cloud: FakeCloud, target: DemoTarget, fails: bool) -> None:
    admin, user = connect(target.clouds_yaml, "lab-admin"), connect(target.clouds_yaml, "lab")
    events: list[Event] = []
    before, prefix = cloud.names(), new_prefix()
    try:
        with ingredients(target, admin, user, prefix, events.append) as made:
            assert made.image != made.other_image
            assert {made.image, made.other_image} <= {one["id"] for one in cloud.all("images")}
            flavors = {one["id"]: one["ram"] for one in cloud.all("flavors")}
            assert (flavors[made.flavor], flavors[made.other_flavor]) == (128, 192)
            assert made.external_network in {one["id"] for one in cloud.all("networks")}
            assert made.external_network_name.startswith(prefix)
            if fails:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert fails
    assert cloud.names() == before
    for one in (admin, user):
        one.session.session.close()
        one.close()
