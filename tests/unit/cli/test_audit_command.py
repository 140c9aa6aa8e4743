"""`labctl audit` on the locks of this checkout: what it prints, and its exit codes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labctl.build.packages import read_lock
from labctl.catalog.folders import catalog_folders
from labctl.cli.main import app
from labctl.errors import VULNERABLE, DatabaseUnreachable
from tests.unit.build.osv_server import Database, advisory, served

LOCKED = read_lock(catalog_folders().locks / "2024.2" / "python" / "packages.txt")


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Database]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with served(Database()) as database:
        yield database


def run(database: Database, *arguments: str) -> tuple[int, str, BaseException | None]:
    options = ["--locks-only", "--progress", "json", "--database", database.address]
    result = CliRunner().invoke(app, ["audit", *options, *arguments])
    return result.exit_code, result.stdout, result.exception


def test_locks_without_known_vulnerabilities_pass(database: Database) -> None:
    code, text, _ = run(database)
    assert code == 0
    assert "vulnerabilities with a fix: 0" in text
    asked = {(name, version) for _, name, version in database.asked}
    own = read_lock(catalog_folders().root / "requirements.txt")
    assert {(pin.name, pin.version) for pin in (*LOCKED.values(), *own.values())} <= asked


def test_a_vulnerability_with_a_fix_is_told_with_its_images_and_fails(database: Database) -> None:
    version = LOCKED["requests"].version
    database.known["PyPI", "requests", version] = [advisory("PyPI", "requests", "CVE-2042-1", "99.0")]
    code, text, _ = run(database)
    assert code == VULNERABLE
    assert f"requests {version} (" in text
    assert "CVE-2042-1, fixed in 99.0: about CVE-2042-1" in text
    assert " and " in text
    assert " more): " in text


def test_what_nobody_has_a_fix_for_is_counted_and_listed_when_asked_for(database: Database) -> None:
    version = LOCKED["requests"].version
    database.known["PyPI", "requests", version] = [advisory("PyPI", "requests", "CVE-2042-1")]
    code, text, _ = run(database)
    assert (code, "CVE-2042-1" in text) == (0, False)
    assert "without a fix: 1" in text
    assert "CVE-2042-1" in run(database, "--all")[1]


def test_a_database_that_is_not_there_has_an_exit_code_of_its_own(database: Database) -> None:
    database.status = 404
    _, text, error = run(database)
    assert isinstance(error, DatabaseUnreachable)
    assert error.exit_code not in (0, 1, VULNERABLE)
    assert "vulnerabilities" not in text
