"""What became of each test."""

import json

import pytest
from verify_examples import BOOT, LIST, STOP, verdict

from labctl.verify.results import Outcome, Result, Status, parse_result, settle


def line(identifier: str, status: str, **more: object) -> str:
    base = {"id": identifier, "status": status, "began": 10.0, "ended": 12.5, "reason": ""}
    base |= {"details": {}, "log": "", "worker": "worker-1"}
    return json.dumps({**base, **more})


@pytest.mark.parametrize(
    ("said", "status"),
    [("success", "passed"), ("xfail", "passed"), ("skip", "skipped"), ("fail", "failed"), ("inprogress", "failed")],
)
def test_a_result_is_read(said: str, status: str) -> None:
    result = parse_result(line(BOOT.id, said))
    assert result is not None
    assert (result.id, result.status, result.seconds, result.worker) == (BOOT.id, status, 2.5, "worker-1")


def test_what_the_runner_says_about_itself_is_no_result() -> None:
    assert parse_result(line("test runner", "unknown")) is None


def test_a_failure_has_its_traceback_and_its_log() -> None:
    result = parse_result(line(BOOT.id, "fail", details={"traceback": "Traceback\n"}, log="Request (x): 200 GET /"))
    assert result is not None
    assert (result.traceback, result.log) == ("Traceback", "Request (x): 200 GET /")


def test_a_class_that_was_skipped_skips_each_of_its_tests() -> None:
    name = f"setUpClass ({BOOT.class_name})"
    results = settle((BOOT, STOP, LIST), [Result(name, Status.SKIPPED, reason="no"), Result(LIST.id, Status.PASSED)])
    assert [(one.id, one.status, one.reason) for one in results] == [
        (BOOT.id, Status.SKIPPED, "no"),
        (STOP.id, Status.SKIPPED, "no"),
        (LIST.id, Status.PASSED, ""),
    ]


def test_a_class_that_could_not_be_torn_down_is_a_failure_of_its_own() -> None:
    failed = Result(f"tearDownClass ({BOOT.class_name})", Status.FAILED, traceback="Conflict")
    results = settle((BOOT,), [Result(BOOT.id, Status.PASSED), failed])
    assert [one.status for one in results] == [Status.PASSED, Status.FAILED]


def test_a_test_of_which_nothing_is_known_has_failed() -> None:
    results = settle((BOOT, STOP), [Result(BOOT.id, Status.PASSED)])
    assert results[1].status is Status.FAILED
    assert "ended before" in results[1].traceback


@pytest.mark.parametrize(
    ("reason", "service"),
    [
        ("VolumesTest skipped as Cinder is not available", "cinder"),
        ("Cinder is not available", "cinder"),
        ("Skipped because the object_storage service is not available", "swift"),
        ("Skipped because the volume service is not available", "cinder"),
        ("Horizon support is required", "horizon"),
        ("AccountTest skipped as swift is not available", "swift"),
        ("Serial console not supported.", ""),
        ("nova-network is not available.", ""),
        ("ImagesTest skipped as http_image is not available", ""),
    ],
)
def test_a_missing_service_is_told_from_other_reasons(reason: str, service: str) -> None:
    assert Result(BOOT.id, Status.SKIPPED, reason=reason).missing_service == service


def test_skips_are_counted_by_reason_whatever_class_they_are_of() -> None:
    results = (
        Result(BOOT.id, Status.SKIPPED, reason="ServersTest skipped as Cinder is not available"),
        Result(LIST.id, Status.SKIPPED, reason="VolumesTest skipped as Cinder is not available"),
        Result(STOP.id, Status.SKIPPED, reason="No serial console"),
    )
    assert Outcome(results, 1.0).skips == (
        ("Class skipped as Cinder is not available", "cinder", 2),
        ("No serial console", "", 1),
    )


def test_the_slowest_come_first() -> None:
    assert [result.id for result in verdict().outcome.slowest] == [BOOT.id, STOP.id, LIST.id]
