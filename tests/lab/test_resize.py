"""Servers move between nodes: nova-compute copies disks over the lab's own ssh."""

from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import Guests

ACTIVE_LIMIT = 4.0


def test_a_server_is_active_at_once_when_its_image_is_cached(lab: Lab, guests: Guests) -> None:
    first, _ = guests.boot("first", "node1")
    second, seconds = guests.boot("second", "node1")
    guests.delete(first)
    guests.delete(second)
    measured("server from create to ACTIVE, image cached", seconds, "s", ACTIVE_LIMIT)


def test_cold_migration_and_resize(lab: Lab, guests: Guests) -> None:
    server, _ = guests.boot("mover", "node1")
    assert server.compute_host == "node1"
    compute = guests.admin.compute
    compute.migrate_server(server)
    moved = guests.reach(server, "VERIFY_RESIZE")
    assert moved.compute_host == "node2"
    compute.confirm_server_resize(server)
    assert guests.reach(server, "ACTIVE").compute_host == "node2"

    compute.resize_server(server, guests.flavors[1].id)
    guests.reach(server, "VERIFY_RESIZE")
    compute.confirm_server_resize(server)
    assert guests.reach(server, "ACTIVE").flavor.ram == guests.flavors[1].ram
    guests.delete(server)
