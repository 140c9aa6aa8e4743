"""From lines to entries."""

from datetime import UTC, datetime

from labctl.service_logs import Entry, LoggedLine, entries

READ = datetime(2026, 11, 21, 18, 50, 1, tzinfo=UTC)
GLOBAL = "req-11111111-2222-3333-4444-555555555555"
LOCAL = "req-66666666-2222-3333-4444-555555555555"
SERVER = "9c34485c-a62a-4689-9f65-df1f78313ad7"
HEAD = "2026-11-21 18:49:59.629 8 ERROR nova.compute.manager"


def read(*texts: str, service: str = "nova-compute") -> list[Entry]:
    return list(entries(LoggedLine(service, READ, text) for text in texts))


def test_a_line_of_an_own_request() -> None:
    (entry,) = read(
        f"2026-11-21 18:49:59.629 8 INFO nova.claims [None {GLOBAL} u p - - d d] [instance: {SERVER}] Claimed"
    )
    assert (entry.level, entry.logger, entry.text) == ("INFO", "nova.claims", "Claimed")
    assert (entry.requests, entry.instance) == ((GLOBAL,), SERVER)
    assert entry.at == datetime(2026, 11, 21, 18, 49, 59, 629000, UTC)
    assert not entry.is_own
    assert not entry.is_trouble


def test_a_request_on_behalf_of_another() -> None:
    (entry,) = read(f"2026-11-21 18:49:59.629 8 INFO neutron.wsgi [{GLOBAL} {LOCAL} u p - - d d] POST")
    assert entry.requests == (GLOBAL, LOCAL)


def test_a_request_in_the_message_is_somebody_elses() -> None:
    (entry,) = read(f"2026-11-21 18:49:59.629 8 INFO nova.wsgi [None {GLOBAL} u p - - d d] GET /actions/{LOCAL}")
    assert entry.requests == (GLOBAL,)


def test_what_a_service_does_by_itself() -> None:
    own, nobodys = read(
        f"2026-11-21 18:49:59.629 8 INFO nova.m [None {GLOBAL} - - - - - -] [instance: {SERVER}] VM Started",
        f"2026-11-21 18:49:59.630 8 INFO nova.m [-] [instance: {SERVER}] Instance spawned successfully.",
    )
    assert own.is_own
    assert (nobodys.requests, nobodys.instance, nobodys.text) == ((), SERVER, "Instance spawned successfully.")


def test_a_traceback_belongs_to_the_line_above() -> None:
    failed, after = read(
        f"{HEAD} [None {GLOBAL} u p - - d d] [instance: {SERVER}] Failed",
        f"{HEAD} [instance: {SERVER}] Traceback (most recent call last):",
        f'{HEAD} [instance: {SERVER}]   File "images.py", line 177, in inspect',
        f"{HEAD} [instance: {SERVER}] nova.exception.ImageUnacceptable: not of that format",
        f"{HEAD} [instance: {SERVER}] ",
        f"{HEAD} [instance: {SERVER}] During handling of the above exception, another exception occurred:",
        f"{HEAD} [instance: {SERVER}] nova.exception.BuildAbort: aborted",
        "2026-11-21 18:50:00.000 8 INFO nova.compute.manager [-] Something else",
    )
    assert failed.detail[1] == '  File "images.py", line 177, in inspect'
    assert failed.exceptions == (
        "nova.exception.ImageUnacceptable: not of that format",
        "nova.exception.BuildAbort: aborted",
    )
    assert after.text == "Something else"


def test_a_message_of_several_lines() -> None:
    (entry,) = read(f"{HEAD} [-] Exit code: 255; Stderr: no such namespace", "")
    assert entry.raw[1:] == ("",)


def test_a_line_of_another_time_is_none_of_a_traceback() -> None:
    assert len(read(f"{HEAD} [-] Failed", "2026-11-21 18:50:00.000 8 ERROR nova.compute.manager Traceback")) == 2


def test_lines_of_other_programs_stand_alone() -> None:
    first, second = read(
        "2026-11-21 18:50:06.759+0000: 16232: warning : qemuDomainObjTaintMsg:6603 : Domain is tainted",
        f"proxy-server: something of {LOCAL}",
        service="node1-libvirt",
    )
    assert (first.level, first.text, first.at) == ("WARNING", "qemuDomainObjTaintMsg:6603 : Domain is tainted", READ)
    assert (second.level, second.requests) == ("INFO", (LOCAL,))


def test_services_are_kept_apart() -> None:
    lines = (LoggedLine("a", READ, f"{HEAD} [-] Failed"), LoggedLine("b", READ, "started"))
    assert [entry.service for entry in entries(lines)] == ["a", "b"]
