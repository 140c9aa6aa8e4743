"""A story on the terminal and as JSON."""

import json
from datetime import UTC, datetime, timedelta

from labctl.service_logs import Entry
from labctl.story import Cause, Event, Story
from labctl.ui.explain import as_json, as_text

AT = datetime(2026, 11, 21, 18, 49, 57, 200000, UTC)
TRACEBACK = ("Failed to spawn", "Traceback (most recent call last):", "nova.exception.NoDisk: it is full")


def event(
    service: str, level: str, raw: tuple[str, ...], *, node: str = "", times: int = 1, noise: bool = False
) -> Event:
    entry = Entry(service, AT, level, "nova", ("req-1",), "", raw[0], raw)
    return Event(entry, node, times, AT + timedelta(seconds=times - 1), noise)


API = event("nova-api", "INFO", ("POST /servers: 202",))
LOOK = event("glance", "INFO", ("GET /v2/images",), noise=True)
FAILED = event("node1-nova-compute", "ERROR", TRACEBACK, node="node1", times=3)
STORY = Story(
    subject="server web (1)",
    record=("ERROR: No valid host was found.",),
    requests=("req-1",),
    cause=Cause(FAILED, "A disk is full.", "Free some.", ("node1: full",)),
    events=(API, LOOK, FAILED),
    left_out=("the guest's log on node1: it is gone",),
)


def test_the_cause_is_on_top() -> None:
    assert (
        as_text(STORY).plain
        == """\
server web (1)
  ERROR: No valid host was found.

cause  Failed to spawn
    nova.exception.NoDisk: it is full
    logged by node1-nova-compute on node1 at 18:49:57.200
    node1: full
  What it means: A disk is full.
  What to do: Free some.

  18:49:57.200  nova-api            POST /servers: 202
> 18:49:57.200  node1-nova-compute  ERROR Failed to spawn (3 times, until 18:49:59.200)
                                    nova.exception.NoDisk: it is full
not looked at: the guest's log on node1: it is gone
3 events of 3 services, 1 requests.
1 that say nothing about the cause are left out; --all shows them, and tracebacks.
"""
    )


def test_everything_with_tracebacks() -> None:
    text = as_text(STORY, everything=True).plain
    assert "GET /v2/images" in text
    assert "Traceback (most recent call last):" in text
    assert "left out" not in text


def test_nothing_that_went_wrong() -> None:
    text = as_text(Story("server web (1)", ("ACTIVE",), (), None, (API,))).plain
    assert "The logs have nothing that went wrong." in text


def test_as_json() -> None:
    told = json.loads(as_json(STORY))
    assert told["cause"]["service"] == "node1-nova-compute"
    assert told["cause"]["remedy"] == "Free some."
    assert [one["noise"] for one in told["events"]] == [False, True, False]
    assert told["events"][2]["detail"] == list(TRACEBACK[1:])
    assert json.loads(as_json(Story("request req-1", (), (), None, ())))["cause"] is None
