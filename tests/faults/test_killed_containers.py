"""Every container of a lab is killed once, under a load of API calls and pings: all come back, and nothing is lost."""

import time
from typing import Any

from labctl.cloud.waiting import Pending, wait_until
from tests.faults.lab import cloud, objects, running_lab, servers_with_addresses
from tests.faults.load import Load
from tests.faults.machine import Machine
from tests.lab.conftest import Lab
from tests.lab.figures import counted
from tests.lab.pinging import Pinging

HEALTHY_LIMIT = 30.0
SILENCE_LIMIT = 1.0
"""For containers that packets do not pass through."""


def test_every_container_comes_back_and_nothing_is_lost(machine: Machine) -> None:
    with running_lab(2) as lab, cloud(lab) as admin:
        addresses = servers_with_addresses(lab, admin, 2)
        before = objects(admin)
        services = [name for name, one in lab.containers().items() if one["State"]["Running"]]
        limits = {one: HEALTHY_LIMIT if lab.of_node(one) else SILENCE_LIMIT for one in services}
        times, silences = {}, {}
        address = next(iter(addresses.values()))
        with (
            Load(lab.state.clouds_yaml, f"{lab.name}-admin") as load,
            Pinging(lab.name, "labctl/client:2024.2", address) as ping,
        ):
            for service in services:
                begin = time.time()
                times[service] = kill_and_wait(machine, lab, service)
                ping.answers(20)
                silences[service] = ping.longest_silence(begin)
        assert load.made["network"], "the load did nothing"
        assert load.faults() == []
        assert objects(admin) == before
    for service in services:
        counted(f"{service}, killed: healthy again", times[service], "s", HEALTHY_LIMIT)
        counted(f"{service}, killed: longest silence", silences[service], "s", limits[service])


def kill_and_wait(machine: Machine, lab: Lab, service: str) -> float:
    """Kills the first process of a container; the seconds until its next one is healthy."""
    killed = state(lab, service)["Pid"]
    begin = time.monotonic()
    machine.kill(killed)

    def healthy() -> bool | Pending:
        now = state(lab, service)
        word = now.get("Health", {}).get("Status", now["Status"])
        return (now["Pid"] not in (0, killed) and word in ("healthy", "running")) or Pending(word)

    wait_until(healthy, f"{service} to be healthy again", HEALTHY_LIMIT * 2, 0.2)
    return time.monotonic() - begin


def state(lab: Lab, service: str) -> dict[str, Any]:
    return lab.containers()[service]["State"]
