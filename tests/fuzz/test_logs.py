"""Logs that a guest, a user of the cloud or a broken service may have written."""

import io
from datetime import UTC, datetime

from hypothesis import strategies as st
from rich.console import Console

from labctl.engine.logs import lines_of
from labctl.explain.follow import Subject, about, linked_requests
from labctl.explain.guest import guest_entries
from labctl.explain.tell import asked_of_placement, events, first_cause
from labctl.service_logs import LoggedLine, entries
from labctl.story import Story
from labctl.ui.explain import as_json, show_story
from tests.fuzz.making import NASTY, changed, fuzz

REQUEST = "req-01234567-89ab-cdef-0123-456789abcdef"
SERVER = "01234567-89ab-cdef-0123-456789abcdef"
SEEDS = tuple(
    line.encode()
    for line in (
        f"2026-11-21 10:00:00.000 7 INFO nova.api [None {REQUEST} user project - - default default] ok",
        f"2026-99-99 99:99:99.999 7 ERROR nova.compute.manager [{REQUEST} - -] [instance: {SERVER}] Build failed: x",
        "2026-11-21 10:00:00.000 7 ERROR nova.compute.manager Traceback (most recent call last):",
        '2026-11-21 10:00:00.000 7 ERROR nova.compute.manager   File "x", line 1',
        "2026-11-21 10:00:00.000 7 ERROR nova.compute.manager nova.exception.NoValidHost: none",
        f'2026-11-21 10:00:00.000 7 INFO placement [{REQUEST} {REQUEST} - -] 10.0.0.1 "GET /allocation_candidates'
        '?limit=1000&resources=VCPU%3A1%2CMEMORY_MB%3A64 HTTP/1.1" status: 200',
        '"GET /allocation_candidates?resources=A:B:C,D HTTP/1.1"',
        '"GET /allocation_candidates//[::1?resources=',
        "2026-11-21 10:00:00.000+0000: 7: error : virNetSocketReadWire:1777 : End of file",
        "2026-99-21 10:00:00.000+0000: starting up libvirt version: 9.0.0 \\",
        "  File",
        "",
    )
)


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    lines = draw(st.lists(changed(SEEDS), max_size=12))
    ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\x0c", b"\x1c", b"\xe2\x80\xa8", b""])
    return b"".join(line + draw(ends) for line in lines)


@fuzz(7, log=logs(), guest=logs(), cut=st.integers(1, 100), everything=st.booleans())
def test_logs(log: bytes, guest: bytes, cut: int, everything: bool) -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    chunks = [log[index : index + cut] for index in range(0, len(log), cut)]
    lines = [LoggedLine("nova-api", at, line) for line in lines_of(chunks)]
    found = list(entries(lines))
    subject = Subject(frozenset(linked_requests([REQUEST], found)), SERVER, frozenset({SERVER}), None, None)
    told = events([*about(subject, found), *found, *guest_entries("x", "d", guest.decode(errors="replace"))], {})
    story = Story(asked_of_placement(told), tuple(NASTY[:3]), (REQUEST,), first_cause(told), told)
    as_json(story)
    stream = io.StringIO()
    show_story(story, Console(file=stream), everything)
    assert "\x1b" not in stream.getvalue()
