"""Which entries belong to a request or a server."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from labctl.explain.follow import Subject, about, linked_requests
from labctl.service_logs import Entry

AT = datetime(2026, 1, 1, tzinfo=UTC)
USER, NEUTRON, NOVA, OTHER = (f"req-{digit * 8}-0000-0000-0000-000000000000" for digit in "abcd")


def entry(*requests: str, text: str = "", instance: str = "", own: bool = False) -> Entry:
    return Entry("s", AT, "INFO", "l", requests, instance, text, (text,), is_own=own)


CHAIN = [entry(USER), entry(USER, NEUTRON), entry(NEUTRON, NOVA), entry(OTHER)]


def test_requests_on_behalf_of_requests_are_followed() -> None:
    assert linked_requests([USER], CHAIN) == (USER, NEUTRON, NOVA)


def test_a_request_leads_to_the_one_it_was_made_for() -> None:
    assert linked_requests([NEUTRON], CHAIN) == (USER, NEUTRON, NOVA)


def test_a_request_of_its_own_is_alone() -> None:
    assert linked_requests([OTHER], CHAIN) == (OTHER,)


SERVER = Subject(frozenset({USER}), "vm-1", frozenset({"vm-1", "instance-01", "port-1"}), AT, AT + timedelta(seconds=9))


def told(one: Entry) -> bool:
    return list(about(SERVER, [one])) == [one]


def test_what_services_do_with_the_server_by_themselves_belongs_to_it() -> None:
    assert told(entry(instance="vm-1"))
    assert told(entry(OTHER, instance="vm-1", own=True))
    assert told(entry(text="Domain name='instance-01' is tainted"))
    assert told(entry(OTHER, text="Port port-1 updated", own=True))


def test_what_others_ask_of_the_server_does_not() -> None:
    assert not told(entry(OTHER, instance="vm-1"))
    assert not told(entry(OTHER, text="GET /servers/vm-1"))
    assert not told(entry(instance="vm-2"))


def test_what_came_before_or_after_does_not() -> None:
    one = entry(instance="vm-1")
    assert not told(replace(one, at=AT - timedelta(seconds=1)))
    assert not told(replace(one, at=AT + timedelta(seconds=9)))
    assert told(replace(entry(USER), at=AT + timedelta(seconds=20)))
