"""Newer images over the data of older ones: the schemas are migrated, also after an interruption, and servers stay up.

There is one release to test with, so its last migrations are taken back by hand: tables and revisions are what the
release before had, the data is the lab's own, and the volume says that other packages migrated it.
"""

import json
import subprocess
import time

import pytest

from tests.lab.commands import LABCTL, docker, labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import Guests
from tests.lab.pinging import Pinging

STAMPS = "/var/lib/mysql/labctl-schemas.json"
SILENCE_LIMIT = 3.0

BEFORE = {
    "nova": ("nova", "13863f4e1612", "1acf2c98e646", "DROP TABLE share_mapping"),
    "neutron": ("neutron", "5bcb7b31ec7d", "175fa80908e1", "DROP TABLE porttrusted"),
    "glance": ("glance", "2024_1_contract01", "2023_1_contract01", "DROP TABLE cached_images, node_reference"),
    "placement": (
        "placement",
        "a082b8bb98d0",
        "422ece571366",
        "CREATE INDEX inventories_resource_provider_id_idx ON inventories (resource_provider_id);"
        "CREATE INDEX inventories_resource_provider_resource_class_idx "
        "ON inventories (resource_provider_id, resource_class_id);"
        "CREATE INDEX ix_placement_aggregates_uuid ON placement_aggregates (uuid);"
        "CREATE INDEX resource_providers_name_idx ON resource_providers (name);"
        "CREATE INDEX resource_providers_uuid_idx ON resource_providers (uuid)",
    ),
}
"""Image to its database, the newest revision, the one before, and SQL that takes the difference back."""


def sql(lab: str, text: str) -> list[str]:
    """What the database answers, line by line."""
    return docker("exec", "--user", "0", f"{lab}-mariadb", "mariadb", "-N", "-e", text).splitlines()


def revisions(lab: str) -> dict[str, list[str]]:
    query = "USE {}; SELECT version_num FROM alembic_version"
    return {schema: sql(lab, query.format(one[0])) for schema, one in BEFORE.items()}


def stamps(lab: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(docker("exec", f"{lab}-mariadb", "cat", STAMPS))
    return found


def make_older(lab: str) -> None:
    for database, newest, before, text in BEFORE.values():
        sql(
            lab,
            f"USE {database}; {text};UPDATE alembic_version SET version_num='{before}' WHERE version_num='{newest}'",  # noqa: S608
        )
    older = {**stamps(lab), **dict.fromkeys(BEFORE, "older")}
    container = ("--user", "0", f"{lab}-mariadb", "sh", "-c", f"cat > {STAMPS}")
    docker("exec", "--interactive", *container, stdin=json.dumps(older) + "\n")


def kill_while_it_migrates(lab: str) -> None:
    command = [str(LABCTL), "up", "--name", lab, "--progress", "json"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr
        for line in running.stderr:
            event = json.loads(line)
            if event["event"] == "planned_step_started" and event["id"] == "migrate:neutron":
                running.kill()
                return
    pytest.fail("nothing was migrated")


def test_an_older_volume_is_migrated_while_servers_run(lab: Lab, guests: Guests) -> None:
    guests.reach_from_host(lab.plan)
    server, _ = guests.boot("upgrade", "node1")
    newest, wanted = revisions(lab.name), stamps(lab.name)
    with Pinging(lab.name, "labctl/client:2024.2", guests.floating_ip(server)) as ping:
        begin = time.time()
        make_older(lab.name)
        assert all(older != newest[schema] for schema, older in revisions(lab.name).items())
        kill_while_it_migrates(lab.name)
        assert stamps(lab.name)["nova"] == "older"

        ran = labctl("up", "--name", lab.name, "--progress", "json", timeout=400)
        assert ran.code == 0, str(ran)
        measured("labctl up that migrates", ran.seconds, "s")
        steps = [step["id"] for one in ran.events if one["event"] == "plan_made" for step in one["steps"]]
        assert "migrate:nova" in steps
        assert "migrate:mariadb" not in steps
        ping.answers(10)
        measured("longest silence while up migrates", ping.longest_silence(begin), "s", SILENCE_LIMIT)
        assert ping.longest_silence(begin) < SILENCE_LIMIT
    assert revisions(lab.name) == newest
    assert stamps(lab.name) == wanted
    assert sql(lab.name, "SELECT COUNT(*) FROM nova.share_mapping, neutron.porttrusted") == ["0"]
    guests.boot("afterwards", "node1")
    again = labctl("up", "--name", lab.name, "--dry-run")
    assert "Nothing to do" in again.out, str(again)
