"""What is read of nova's record of a server."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from openstack.compute.v2.server import Server
from openstack.compute.v2.server_action import ServerAction
from openstack.exceptions import NotFoundException
from openstack.network.v2.port import Port

from labctl.cloud.server_record import DELETED, Action, ServerRecord, fetch_server
from labctl.errors import NotFound

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

FAULT = {"message": "No valid host was found.", "created": "2026-11-21T18:49:57Z"}
WEB = {"id": "v1", "name": "web", "status": "ERROR", "OS-EXT-SRV-ATTR:instance_name": "instance-01"}
EVENTS = [
    {"event": "compute__do_build", "host": "node2", "result": None, "details": None},
    {"event": "schedule", "host": "node1", "result": "Error", "details": "No room "},
]
ACTIONS = {
    "req-2": {"action": "reboot", "start_time": "2026-11-21T19:00:00.000000", "message": None, "events": []},
    "req-1": {"action": "create", "start_time": "2026-11-21T18:49:56.000000", "message": "Error", "events": EVENTS},
}
CREATE = Action(
    "create", "req-1", datetime(2026, 11, 21, 18, 49, 56, tzinfo=UTC), True, ("node1", "node2"), ("No room",)
)
REBOOT = Action("reboot", "req-2", datetime(2026, 11, 21, 19, tzinfo=UTC))


def cloud() -> Any:
    """Nova lists servers without the fault of those that never had a host, and actions with the last one first."""

    def actions(server: str) -> list[ServerAction]:
        if server not in ("v1", "gone"):
            raise NotFoundException
        return [ServerAction.existing(request_id=request) for request in ACTIONS]

    return SimpleNamespace(
        compute=SimpleNamespace(
            servers=lambda **query: [
                Server.existing(**WEB),
                Server.existing(id="v2", name="twin"),
                Server.existing(id="v3", name="twin"),
            ],
            server_actions=actions,
            get_server_action=lambda request, server: ServerAction.existing(request_id=request, **ACTIONS[request]),
            get_server=lambda server: Server.existing(fault=FAULT, **WEB),
        ),
        network=SimpleNamespace(ports=lambda **query: [Port.existing(id="p1")]),
    )


@pytest.mark.parametrize("wanted", ["web", "v1"])
def test_by_name_and_by_id(wanted: str) -> None:
    assert fetch_server(cloud(), wanted) == ServerRecord(
        id="v1",
        name="web",
        status="ERROR",
        fault="No valid host was found.",
        fault_at=datetime(2026, 11, 21, 18, 49, 57, tzinfo=UTC),
        domain="instance-01",
        ports=("p1",),
        actions=(CREATE, REBOOT),
    )


def test_one_that_is_deleted_has_its_actions() -> None:
    assert fetch_server(cloud(), "gone") == ServerRecord("gone", status=DELETED, actions=(CREATE, REBOOT))


def test_there_is_none() -> None:
    with pytest.raises(NotFound, match="no server 'nobody'"):
        fetch_server(cloud(), "nobody")


def test_there_are_several() -> None:
    with pytest.raises(NotFound, match="several servers 'twin'") as refused:
        fetch_server(cloud(), "twin")
    assert [line.split(":")[0] for line in refused.value.evidence] == ["v2", "v3"]
