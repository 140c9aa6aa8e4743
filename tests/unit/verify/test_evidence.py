"""From a failed test to the lines of the services' logs."""

from datetime import UTC, datetime

from verify_examples import BOOT, OTHER_REQUEST, REQUEST, STOP

from labctl.service_logs import LoggedLine
from labctl.verify.evidence import gather, requests_of
from labctl.verify.results import Result, Status

LOG = f"""\
2026-11-21 15:00:00,1 10 INFO [tempest.lib.common.rest_client] Request (T:test_stop): 202 POST http://a/servers 0.3s
2026-11-21 15:00:00,2 10 DEBUG [tempest.lib.common.rest_client] Request - Headers: {{'X-Auth-Token': '<omitted>'}}
        Body: None
    Response - Headers: {{'x-compute-request-id': '{REQUEST}', 'x-openstack-request-id': '{REQUEST}'}}
        Body: b''
2026-11-21 15:00:01,1 10 INFO [tempest.lib.common.rest_client] Request (T:test_stop): 200 GET http://a/servers/1 0.1s
    Response - Headers: {{'x-openstack-request-id': '{OTHER_REQUEST}'}}
"""

AT = "2026-11-21 15:00:00.100 7"
SERVICES = (
    ("nova-api", f"{AT} INFO nova.api [None {REQUEST} x] POST /servers"),
    ("nova-compute", f"{AT} ERROR nova.compute.manager [None {REQUEST} x] Cannot boot"),
    ("nova-compute", f"{AT} ERROR nova.compute.manager Traceback (most recent call last):"),
    ("nova-compute", f"{AT} INFO nova.compute.claims [-] periodic"),
    ("nova-compute", f"{AT} INFO nova.other [None req-00000000-2222-3333-4444-555555555555 x] another"),
    ("nova-compute", f"{AT} ERROR nova.other of another request"),
    ("nova-conductor", f"{AT} INFO nova.conductor [None {OTHER_REQUEST} x] asked"),
)


def read(since: float) -> list[LoggedLine]:
    assert since == 100.0
    return [LoggedLine(service, datetime(2026, 11, 21, 15, tzinfo=UTC), text) for service, text in SERVICES]


def test_requests_are_read_with_the_id_of_the_answer() -> None:
    first, second = requests_of(LOG)
    assert (first.id, first.method, first.url, first.status) == (REQUEST, "POST", "http://a/servers", 202)
    assert (second.id, second.method, second.status) == (OTHER_REQUEST, "GET", 200)
    assert first.matters
    assert not second.matters


def test_a_swift_transaction_is_a_request() -> None:
    transaction = "tx0123456789abcdef01234-0123456789"
    log = f"Request (T:t): 404 GET http://a/v1/c 0.1s\n Response - Headers: {{'x-trans-id': '{transaction}'}}"
    assert [request.id for request in requests_of(log)] == [transaction]


def test_trouble_is_shown_with_its_traceback_and_nobody_elses() -> None:
    (failure,) = gather([Result(STOP.id, Status.FAILED, 100.0, log=LOG)], read)
    assert [request.id for request in failure.requests] == [REQUEST]
    assert [(line.service, line.text) for line in failure.lines] == [SERVICES[1], SERVICES[2]]


def test_without_trouble_everything_about_the_requests_is_shown() -> None:
    log = LOG.replace(REQUEST, OTHER_REQUEST)
    (failure,) = gather([Result(STOP.id, Status.FAILED, 100.0, log=log)], read)
    assert [line.service for line in failure.lines] == ["nova-conductor"]


def test_what_a_test_removes_when_it_has_failed_is_left_out() -> None:
    removal = LOG.replace("T:test_stop", "T:_run_cleanups").replace(REQUEST, OTHER_REQUEST)
    (failure,) = gather(
        [Result(STOP.id, Status.FAILED, 100.0, log=LOG.replace(OTHER_REQUEST, REQUEST) + removal)], read
    )
    assert {request.id for request in failure.requests} == {REQUEST}
    (failure,) = gather([Result(STOP.id, Status.FAILED, 100.0, log=removal)], read)
    assert {request.id for request in failure.requests} == {OTHER_REQUEST}


def test_a_request_id_in_a_traceback_counts() -> None:
    failed = Result(BOOT.id, Status.FAILED, 100.0, traceback=f"Details: 500 ({REQUEST})")
    (failure,) = gather([failed], read)
    assert len(failure.lines) == 2


def test_logs_are_not_read_where_no_request_is_known() -> None:
    def never(since: float) -> list[LoggedLine]:
        raise AssertionError("read")

    (failure,) = gather([Result(BOOT.id, Status.FAILED, 100.0, traceback="AssertionError")], never)
    assert failure.lines == ()
