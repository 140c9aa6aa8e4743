"""OpenStack's own tests against a lab that is born with TLS: what Tempest calls the smoke suite, all of it."""

import json
from collections.abc import Iterator

import pytest

from tests.conftest import Built
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured

NAME = "smoke"


@pytest.fixture(scope="module")
def closed(built: Built) -> Iterator[Lab]:
    ran = labctl("up", "--name", NAME, "--tls", "--progress", "json", timeout=600)
    try:
        assert ran.code == 0, str(ran)
        measured("labctl up --tls, one node", ran.seconds, "s")
        yield Lab(NAME, 1, ran)
    finally:
        labctl("down", "--name", NAME)


def test_the_smoke_suite_passes(closed: Lab) -> None:
    ran = labctl("verify", "--name", closed.name, "--suite", "smoke", "--progress", "json", timeout=1100)
    assert ran.code == 0, str(ran)
    found = json.loads(ran.out.splitlines()[-1])
    assert (found["failed"], found["not_removed"]) == (0, [])
    assert found["passed"] > 80, str(ran)
    measured("labctl verify --suite smoke with TLS", found["seconds"], "s")
