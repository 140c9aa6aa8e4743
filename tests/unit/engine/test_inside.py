"""What a look into containers tells, as their programs print it."""

from collections.abc import Sequence

import pytest

from labctl.engine import inside
from labctl.engine.inside import FileSystem
from labctl.engine.process import Completed

DF = """\
Filesystem     1024-blocks    Used Available Capacity Mounted on
/dev/vda         263174212 5203516  70000000       8% /var/lib/nova
full                  1024    1024         0     100% /var/lib/nova/instances
"""
PROFILE = "1\t0.04312345\tDO BENCHMARK(100000, MD5('labctl'))\n"


def says(monkeypatch: pytest.MonkeyPatch, text: str) -> list[Sequence[str]]:
    """Has every command print a text; returns the commands that were run."""
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str], **_: object) -> Completed:
        asked.append(command)
        return Completed(tuple(command), 0, text, "", 0.1)

    monkeypatch.setattr(inside, "run", run)
    return asked


def test_file_systems_of_volumes_and_below_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = says(monkeypatch, DF)
    assert inside.file_systems("lab-node1-nova-compute", ["/var/lib/nova"]) == (
        FileSystem("/var/lib/nova", 263174212, 70000000),
        FileSystem("/var/lib/nova/instances", 1024, 0),
    )
    assert asked[0][-1] == "/var/lib/nova"


def test_a_service_without_volumes_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, "")
    assert inside.file_systems("lab-memcached", []) == ()


def test_the_database_says_itself_how_long_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    says(monkeypatch, PROFILE)
    assert inside.database_seconds("lab-mariadb") == pytest.approx(0.04312345)
