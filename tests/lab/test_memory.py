"""Memory of the control plane, and the limits of every container."""

import json

from tests.lab.commands import docker
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.machine import probe

LIMIT_GB = 1.6


def test_memory_of_the_control_plane(lab: Lab) -> None:
    services = {one["Id"]: name for name, one in lab.containers().items() if not lab.of_node(name)}
    sizes: dict[str, float] = {}
    for process in probe("containers")["processes"]:
        name = services.get(process["container"])
        if name:
            sizes[name] = sizes.get(name, 0.0) + process["pss_kb"] * 1024 / 1e9
    assert all(size > 0.0 for size in sizes.values())
    assert len(sizes) >= len(services) - 1, "all but the job `identity`, which is done"
    for name, size in sorted(sizes.items(), key=lambda one: -one[1])[:3]:
        measured(f"memory of {name} (PSS)", size, "GB")
    measured("memory of the control plane (PSS)", sum(sizes.values()), "GB", LIMIT_GB)


def test_the_engine_has_set_the_limits(lab: Lab) -> None:
    assert json.loads(docker("info", "--format", "{{json .MemoryLimit}}")), "this kernel limits no memory"
    assert json.loads(docker("info", "--format", "{{json .PidsLimit}}")), "this kernel limits no processes"
    wanted = {name: (service["mem_limit"], service["pids_limit"]) for name, service in lab.state.services.items()}
    found = {
        name: (f"{one['HostConfig']['Memory'] >> 30}g", one["HostConfig"]["PidsLimit"])
        for name, one in lab.containers().items()
    }
    assert found == wanted


def test_no_container_came_to_its_limit(lab: Lab) -> None:
    assert [name for name, one in lab.containers().items() if one["State"]["OOMKilled"]] == []
