"""Ctrl-C while a lab comes up: labctl ends at once and in order, and `down` leaves nothing."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from labctl.errors import INTERRUPTED
from labctl.lab.state import LabState
from tests.conftest import Built
from tests.lab.commands import LABCTL, labctl, labelled
from tests.lab.machine import compare, snapshot

NAME = "interrupted"
SECONDS_TO_END = 30

Moment = Callable[[dict[str, Any]], bool]


def rendered(event: dict[str, Any]) -> bool:
    """Compose is about to start: networks, volumes and containers are being made."""
    return event["event"] == "step_started" and event["step"] == "start services"


def identity_starts(event: dict[str, Any]) -> bool:
    """In the middle: some services are healthy, some start, some wait."""
    return event["event"] == "service_changed" and event["service"] == "keystone" and event["state"] == "healthy"


def waits_for_the_cloud(event: dict[str, Any]) -> bool:
    """At the end: Compose is done."""
    return event["event"] == "step_started" and event["step"] == "wait until the cloud is usable"


@pytest.fixture(autouse=True)
def removed_in_any_case() -> Iterator[None]:
    yield
    if LabState(NAME).folder.exists() or any(labelled(NAME).values()):
        labctl("down", "--name", NAME)


def interrupt(moment: Moment) -> tuple[int, str]:
    """Brings the lab up, interrupts when an event tells that the moment has come; exit code and all that was said."""
    command = [str(LABCTL), "up", "--name", NAME, "--nodes", "1", "--progress", "json"]
    said = []
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr
        for line in running.stderr:
            said.append(line)
            if moment(json.loads(line)):
                break
        running.send_signal(signal.SIGINT)
        _, rest = running.communicate(timeout=SECONDS_TO_END)
    return running.returncode, "".join([*said, rest])


def commands_that_name(text: str) -> list[str]:
    """Processes of the machine whose arguments hold a text; not the lab's filter, whose table is called so."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            arguments = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in arguments and "keep-filter" not in arguments:
            found.append(arguments)
    return found


@pytest.mark.parametrize("moment", [rendered, identity_starts, waits_for_the_cloud])
def test_ctrl_c_during_up(built: Built, moment: Moment) -> None:
    before = snapshot()
    code, said = interrupt(moment)
    assert code == INTERRUPTED, said
    assert "Traceback" not in said
    assert "Interrupted." in said.splitlines()
    assert commands_that_name(LabState(NAME).project) == []
    ran = labctl("down", "--name", NAME)
    assert ran.code == 0, str(ran)
    assert labelled(NAME) == {"containers": [], "networks": [], "volumes": []}
    differences = compare(before, snapshot("after-interruption"))
    assert not differences, "\n".join(differences)
