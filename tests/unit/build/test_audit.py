"""Packages against a database of vulnerabilities, which the test runs itself; and what is said where there is none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.build.audit import Audit, audit
from labctl.build.packages import DebianPackage, PythonPackage
from labctl.catalog.release import Accepted
from labctl.errors import DatabaseUnreachable
from tests.unit.build.osv_server import Database, advisory, served

DJANGO = PythonPackage("django", "4.2.15")
FLASK = PythonPackage("flask", "3.1.3")
BASE = DebianPackage("base-files", "12.4+deb12u12", "amd64", "base-files", "12.4+deb12u12")
LIBC = DebianPackage("libc6", "2.36-9", "amd64", "glibc", "2.36-9")
LIBC_BIN = DebianPackage("libc-bin", "2.36-9", "amd64", "glibc", "2.36-9")


@pytest.fixture
def database() -> Iterator[Database]:
    with served(Database()) as database:
        yield database


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def ask(database: Database, folder: Path, *accepted: Accepted, debian: tuple[DebianPackage, ...] = ()) -> Audit:
    python = {"horizon": (DJANGO, FLASK), "keystone": (FLASK,)}
    held = {"base": debian, "nova": debian} if debian else {}
    return audit(python, held, accepted, folder, database.address)


def test_each_package_is_asked_for_once_and_who_has_it_is_told(database: Database, tmp_path: Path) -> None:
    database.known["PyPI", "flask", "3.1.3"] = [
        advisory("PyPI", "flask", "GHSA-1", "3.1.4", aliases=["CVE-2042-1", "PYSEC-2042-7"])
    ]
    result = ask(database, tmp_path)
    [found] = result.to_mend
    assert (found.package, found.advisory, found.fixed_in) == ("flask", "CVE-2042-1", ("3.1.4",))
    assert found.where == ("horizon", "keystone")
    assert sorted(database.asked[1:]) == [("PyPI", "django", "4.2.15"), ("PyPI", "flask", "3.1.3")]
    assert (result.python, result.debian) == (2, 0)


def test_debian_is_asked_for_by_source_package_and_release(database: Database, tmp_path: Path) -> None:
    database.known["Debian:12", "glibc", "2.36-9"] = [
        advisory("Debian:12", "glibc", "DEBIAN-CVE-2042-2", "2.36-9+deb12u9", upstream=["CVE-2042-2"]),
        advisory("Debian:12", "glibc", "DEBIAN-CVE-2042-3"),
        advisory("Debian:12", "glibc", "DSA-1", "2.36-9+deb12u1", withdrawn="2042-01-01T00:00:00Z"),
    ]
    result = ask(database, tmp_path, debian=(BASE, LIBC, LIBC_BIN))
    [found] = result.to_mend
    assert (found.advisory, found.fixed_in, found.where) == ("CVE-2042-2", ("2.36-9+deb12u9",), ("base", "nova"))
    assert [each.advisory for each in result.without_fix] == ["DEBIAN-CVE-2042-3"]
    assert result.debian == 2


def test_an_answer_in_pages_is_read_to_its_end(database: Database, tmp_path: Path) -> None:
    many = [advisory("Debian:12", "glibc", f"DEBIAN-CVE-2042-{number}", "3") for number in range(7)]
    database.known["Debian:12", "glibc", "2.36-9"], database.page = many, 3
    assert len(ask(database, tmp_path, debian=(BASE, LIBC)).to_mend) == 7


def test_what_is_accepted_is_told_with_its_reason_and_is_not_to_mend(database: Database, tmp_path: Path) -> None:
    database.known["PyPI", "django", "4.2.15"] = [
        advisory("PyPI", "django", "GHSA-1", "4.2.16", aliases=["CVE-2042-4"]),
        advisory("PyPI", "django", "GHSA-2", "4.2.16", aliases=["CVE-2042-5"]),
    ]
    elsewhere = Accepted(advisory="CVE-2042-5", package="flask", reason="of another package")
    result = ask(database, tmp_path, Accepted(advisory="CVE-2042-4", package="django", reason="no form"), elsewhere)
    assert [(each.advisory, each.accepted) for each in result.accepted] == [("CVE-2042-4", "no form")]
    assert [each.advisory for each in result.to_mend] == ["CVE-2042-5"]


def test_without_vulnerabilities_nothing_is_found(database: Database, tmp_path: Path) -> None:
    assert ask(database, tmp_path, debian=(BASE, LIBC)).found == ()


def test_a_database_that_is_not_there_is_said(tmp_path: Path) -> None:
    with served(Database()) as gone:
        pass
    with pytest.raises(DatabaseUnreachable, match="could not be reached: nothing was audited") as caught:
        ask(gone, tmp_path)
    assert caught.value.exit_code == 14


@pytest.mark.parametrize("status", [404, 500])
def test_a_mirror_that_knows_no_such_page_is_said(status: int, database: Database, tmp_path: Path) -> None:
    database.status = status
    with pytest.raises(DatabaseUnreachable, match="could not be reached: nothing was audited"):
        ask(database, tmp_path)


@pytest.mark.parametrize("answer", [b"<html>log in</html>", b'{"hello": "world"}', b"[1]", b'"ok"', b'{"vulns": 5}'])
def test_something_else_that_answers_is_said(answer: bytes, database: Database, tmp_path: Path) -> None:
    database.answer = answer
    with pytest.raises(DatabaseUnreachable, match="nothing was audited"):
        ask(database, tmp_path)


@pytest.mark.parametrize("answer", [b"{}", b"null", b""])
def test_a_database_that_knows_nothing_is_not_believed(answer: bytes, database: Database, tmp_path: Path) -> None:
    database.answer = answer
    with pytest.raises(DatabaseUnreachable, match="nothing was audited"):
        ask(database, tmp_path)


def test_a_database_without_debian_is_not_believed_where_debian_is_asked_for(
    database: Database, tmp_path: Path
) -> None:
    del database.known["Debian:12", "bash", "4.2-1"]
    with pytest.raises(DatabaseUnreachable, match="knows no vulnerability of bash"):
        ask(database, tmp_path, debian=(BASE, LIBC))
    assert ask(database, tmp_path).found == ()


def test_a_database_that_goes_away_meanwhile_ends_the_audit(database: Database, tmp_path: Path) -> None:
    database.known["PyPI", "flask", "3.1.3"] = [{"id": "GHSA-1", "affected": 5}]
    with pytest.raises(DatabaseUnreachable, match="nothing was audited"):
        ask(database, tmp_path)
