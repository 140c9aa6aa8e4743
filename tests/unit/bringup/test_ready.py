"""What a lab waits for before it says that its cloud can be used."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from docker.errors import NotFound

from labctl.bringup.ready import since_start
from labctl.cloud.readiness import Expected
from labctl.engine.containers import SERVICE_LABEL
from labctl.engine.labels import LAB_LABEL, PROJECT_LABEL

STARTED = {
    "node1-nova-compute": "2026-11-22T10:09:40.350924058Z",
    "net-l3-agent": "2026-11-22T10:09:32.903972091Z",
    "net": "2026-11-22T10:00:00.000000000Z",
}
"""Service to when its container was started, as the engine says it: with nanoseconds."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers as it was told to."""

    api: Any = field(hash=False)


def engine(gone: str = "") -> Any:
    """An engine with one container for each service; one may go between two questions."""

    def containers(**_: object) -> list[dict[str, object]]:
        return [
            {
                "Id": name,
                "ImageID": "image",
                "Names": [f"/lab-{name}"],
                "State": "running",
                "Status": "Up",
                "Labels": {LAB_LABEL: "lab", PROJECT_LABEL: "labctl-lab", SERVICE_LABEL: name},
            }
            for name in STARTED
        ]

    def inspect(container: str) -> dict[str, object]:
        if container == gone:
            raise NotFound(container)
        return {"State": {"StartedAt": STARTED[container]}}

    def inspect_image(image: str) -> dict[str, dict[str, str]]:
        return {"Config": {}}

    api = SimpleNamespace(containers=containers, inspect_container=inspect, inspect_image=inspect_image)
    return Engine(api)


EXPECTED = Expected(("node1",), {"net": frozenset({"neutron-l3-agent", "neutron-dhcp-agent"})})


def test_reports_count_from_the_start_of_the_container_that_makes_them() -> None:
    assert since_start(engine(), "lab", EXPECTED).started == {
        ("node1", "nova-compute"): datetime(2026, 11, 22, 10, 9, 40, 350924, UTC),
        ("net", "neutron-l3-agent"): datetime(2026, 11, 22, 10, 9, 32, 903972, UTC),
    }


def test_a_container_that_went_meanwhile_is_left_out() -> None:
    assert set(since_start(engine("node1-nova-compute"), "lab", EXPECTED).started) == {("net", "neutron-l3-agent")}
