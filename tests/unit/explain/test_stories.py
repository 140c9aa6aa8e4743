"""From what a lab logged to the cause: recorded of servers that failed."""

from datetime import UTC, datetime

import pytest
from recorded_logs import NODES, lines

from labctl.explain.follow import Subject, about, linked_requests
from labctl.explain.tell import asked_of_placement, events, first_cause, is_about_room
from labctl.service_logs import Entry, entries
from labctl.story import Event

NO_ROOM = "req-03cc54b6-309b-4934-a730-ed07f156b264"
WRONG_IMAGE = "req-82652f7b-fece-4f27-b6c2-431aa75b9b83"
UNBOUND = "req-ef0ef4c4-1f56-45c1-a6ac-782ebb823891"


def told(name: str, request: str) -> tuple[Event, ...]:
    logged = list(entries(lines(name)))
    requests = frozenset(linked_requests([request], logged))
    return events(about(Subject(requests), logged), NODES)


@pytest.mark.parametrize(
    ("name", "request_id", "service", "node", "text"),
    [
        ("no-room", NO_ROOM, "nova-scheduler", "", "Got no allocation candidates from the Placement API."),
        ("wrong-image", WRONG_IMAGE, "node1-nova-compute", "node1", "expected to be qcow2 but detected as raw"),
        (
            "unbound",
            UNBOUND,
            "neutron-server",
            "",
            "Failed to bind port 2022a1b7-7a91-4e21-be8d-e92d003d3258 on host node1",
        ),
    ],
)
def test_the_first_cause(name: str, request_id: str, service: str, node: str, text: str) -> None:
    cause = first_cause(told(name, request_id))
    assert cause is not None
    assert (cause.event.entry.service, cause.event.node) == (service, node)
    assert text in cause.event.entry.text
    assert cause.why
    assert cause.remedy


def test_what_was_asked_of_placement() -> None:
    assert asked_of_placement(told("no-room", NO_ROOM)) == "asked for 1 GB of disk, 50000 MB of memory, 1 vCPU"
    assert asked_of_placement(()) == ""


def test_only_what_no_node_has_is_about_room() -> None:
    assert is_about_room(first_cause(told("no-room", NO_ROOM)))
    assert not is_about_room(first_cause(told("unbound", UNBOUND)))
    assert not is_about_room(None)


def test_everything_is_in_order_of_time() -> None:
    times = [event.entry.at for event in told("unbound", UNBOUND)]
    assert times == sorted(times)


def test_what_is_tried_again_is_told_once_for_each_node() -> None:
    bindings = [event for event in told("unbound", UNBOUND) if event.entry.text.startswith("Failed to bind")]
    assert [event.times for event in bindings] == [10, 10]
    assert all(event.until > event.entry.at for event in bindings)


def test_the_story_goes_through_the_services() -> None:
    services = {event.entry.service for event in told("unbound", UNBOUND)}
    assert services >= {
        "nova-api",
        "placement",
        "neutron-server",
        "nova-conductor",
        "node1-nova-compute",
        "node2-nova-compute",
    }
    assert "keystone" not in services


def test_looks_that_were_answered_say_nothing() -> None:
    for event in told("wrong-image", WRONG_IMAGE):
        assert event.is_noise or '"GET' not in event.entry.text


def logged(text: str, *, level: str = "INFO", second: int = 0) -> Entry:
    return Entry("nova-compute", datetime(2026, 1, 1, 0, 0, second, tzinfo=UTC), level, "nova", (), "", text, (text,))


@pytest.mark.parametrize(
    "text",
    [
        "Truncating password to algorithm specific maximum length 72 characters.",
        "qemuDomainObjTaintMsg:6603 : Domain id=30 name='instance-00000016' is tainted: high-privileges",
        "Received unexpected event network-vif-plugged-1 for instance with vm_state active and task_state None.",
    ],
)
def test_warnings_of_healthy_labs_are_no_cause(text: str) -> None:
    assert first_cause(events([logged(text, level="WARNING")], {})) is None


def test_an_unknown_error_is_a_cause_with_a_place_to_look() -> None:
    cause = first_cause(events([logged("fine"), logged("Oops", level="ERROR", second=1)], {}))
    assert cause is not None
    assert (cause.event.entry.text, cause.why) == ("Oops", "")
    assert "labctl logs nova-compute" in cause.remedy


def test_a_refusal_is_a_cause_where_there_is_no_other() -> None:
    refusal = logged('10.0.0.1 "GET /v2/images/1 HTTP/1.1" 404 395 0.01')
    cause = first_cause(events([refusal], {}))
    assert cause is not None
    assert cause.event.entry is refusal
    worse = logged("HTTP exception thrown: Can not find requested image", second=1)
    cause = first_cause(events([refusal, worse], {}))
    assert cause is not None
    assert cause.event.entry is worse
