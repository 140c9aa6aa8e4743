"""A lab's secrets are in its 0600 files, and nowhere that others can read. Runs late in a lab's life: logs are full."""

import json
from collections.abc import Iterable

import pytest

from labctl.lab.secrets import read_secrets
from labctl.render.lab import AUTHORITY, needed_secrets
from tests.conftest import Built
from tests.lab.commands import docker, execute
from tests.lab.conftest import Lab
from tests.lab.machine import probe
from tests.unit.render.fixed_lab import FOLDERS, make_plan

SHORTEST = 16


@pytest.fixture(scope="module")
def needles(lab: Lab) -> dict[str, str]:
    """What to look for: each secret; of a key of several lines, the one in its middle. Value to name."""
    found = {}
    for name, value in read_secrets(lab.state.secrets).values.items():
        lines = [line for line in value.splitlines() if not line.startswith("-----")]
        found[lines[len(lines) // 2]] = name
    assert len(found) > 10
    assert all(len(value) >= SHORTEST for value in found)
    return found


def leaks(text: str, needles: dict[str, str]) -> list[str]:
    """The names of the secrets in a text: the values must not get into a test's report either."""
    return sorted(name for value, name in needles.items() if value in text)


def found_in(texts: Iterable[tuple[str, str]], needles: dict[str, str]) -> dict[str, list[str]]:
    return {where: names for where, text in texts if (names := leaks(text, needles))}


def test_the_search_finds_secrets_where_they_belong(lab: Lab, needles: dict[str, str]) -> None:
    """A search that is blind would find none anywhere. What profiles that have left had stays, and is in no file."""
    files = [path for path in lab.state.rendered.rglob("*") if path.is_file()]
    text = "\n".join(path.read_text(errors="replace") for path in files)
    found = set(leaks(text, needles))
    assert needed_secrets(FOLDERS, make_plan()) - {AUTHORITY} <= found
    assert AUTHORITY not in found, "the key that signs certificates is in a file that services mount"


def test_no_secret_in_what_the_engine_tells_of_containers(lab: Lab, needles: dict[str, str]) -> None:
    described = ((service, json.dumps(one)) for service, one in lab.containers().items())
    assert found_in(described, needles) == {}
    engine = docker("events", "--since", "1h", "--until", "0s", "--filter", f"label=org.labctl.lab={lab.name}")
    assert leaks(engine, needles) == []


def test_no_secret_in_arguments_of_processes(needles: dict[str, str]) -> None:
    arguments = probe("arguments")
    assert len(arguments) > 20
    assert leaks("\n".join(arguments), needles) == []


def test_no_secret_in_logs(lab: Lab, needles: dict[str, str]) -> None:
    logs = {}
    for service, one in lab.containers().items():
        ran = execute(["docker", "logs", one["Id"]])
        assert ran.code == 0, str(ran)
        logs[service] = ran.out + ran.err
    assert any(logs.values())
    assert found_in(logs.items(), needles) == {}


def test_no_secret_in_images(built: Built, needles: dict[str, str]) -> None:
    histories = (
        (name, docker("history", "--no-trunc", reference) + docker("image", "inspect", reference))
        for name, reference in built.references.items()
    )
    assert found_in(histories, needles) == {}


def test_no_secret_in_what_labctl_says(lab: Lab, needles: dict[str, str]) -> None:
    if lab.up is None:
        pytest.skip("the lab of LABCTL_TEST_LAB was not brought up by this run")
    assert leaks(str(lab.up), needles) == []
