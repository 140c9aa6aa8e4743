"""`labctl audit`: locked Python packages and installed Debian packages against a database of vulnerabilities.

Who cannot reach the database must not say that nothing was found. So it is first asked for packages whose
vulnerabilities everybody knows, and an answer that knows nothing of them ends the audit.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
from pip_audit._service import OsvService

from labctl.build.osv import DATABASE, Vulnerability, ask_for_debian, ask_for_python
from labctl.build.packages import DebianPackage, PythonPackage
from labctl.catalog.release import Accepted
from labctl.errors import DatabaseUnreachable

SECONDS = 20
"""How long the database may take for one answer."""
AT_ONCE = 8
"""Questions that are asked at a time."""
KNOWN_PYTHON = PythonPackage("jinja2", "2.4.1")
"""CVE-2016-10745 and others."""
KNOWN_DEBIAN = DebianPackage("bash", "4.2-1", "amd64", "bash", "4.2-1")
"""CVE-2014-6271 and others."""


Holders = Mapping[str, Iterable[PythonPackage]]
"""Who has which Python packages."""
DebianHolders = Mapping[str, Iterable[DebianPackage]]
"""Who has which packages of Debian."""


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        python: How many Python packages were asked about.
        debian: How many source packages of Debian.
        found: Everything that the database knows of them.
    """

    python: int
    debian: int
    found: tuple[Vulnerability, ...]

    @property
    def to_mend(self) -> tuple[Vulnerability, ...]:
        """Those for which there is a fix, and no reason to do without it."""
        return tuple(each for each in self.found if each.fixed_in and not each.accepted)

    @property
    def accepted(self) -> tuple[Vulnerability, ...]:
        """Those that are left as they are, for a stated reason."""
        return tuple(each for each in self.found if each.accepted)

    @property
    def without_fix(self) -> tuple[Vulnerability, ...]:
        """Those that nobody has mended yet."""
        return tuple(each for each in self.found if not each.fixed_in and not each.accepted)


def audit(
    python: Holders,
    debian: DebianHolders,
    accepted: Sequence[Accepted],
    cache: Path,
    database: str = DATABASE,
) -> Audit:
    """Asks the database about every package once.

    Args:
        python: Python packages.
        debian: Packages of Debian.
        accepted: Advisories that are left as they are, with reasons.
        cache: A folder for pip-audit.
        database: Address of an OSV API's `query`.

    Raises:
        DatabaseUnreachable: It does not answer, or what it answers is no database of vulnerabilities.
    """
    locked = holders((package.name, package.version, who) for who, held in python.items() for package in held)
    installed = holders((*each.tracked, who) for who, held in debian.items() for each in held)
    suite = debian_release(package for held in debian.values() for package in held)

    def of_python(part: Sequence[tuple[str, str]]) -> list[Vulnerability]:
        service = OsvService(cache, SECONDS, database)
        return [known for name, version in part for known in ask_for_python(service, name, version)]

    def of_debian(part: Sequence[tuple[str, str]]) -> list[Vulnerability]:
        with httpx.Client(timeout=SECONDS) as client:
            return [known for name, version in part for known in ask_for_debian(client, database, suite, name, version)]

    if not of_python([(KNOWN_PYTHON.name, KNOWN_PYTHON.version)]):
        raise knows_nothing(database, f"{KNOWN_PYTHON.name} {KNOWN_PYTHON.version}")
    if installed and not of_debian([(KNOWN_DEBIAN.source, KNOWN_DEBIAN.source_version)]):
        raise knows_nothing(database, f"{KNOWN_DEBIAN.source} {KNOWN_DEBIAN.source_version} of {suite}")
    found = [
        replace(each, where=held[each.package, each.version], accepted=reason(each, accepted))
        for held, ask in ((locked, of_python), (installed, of_debian))
        for each in in_parts(sorted(held), ask)
    ]
    return Audit(len(locked), len(installed), tuple(found))


def holders(packages: Iterable[tuple[str, str, str]]) -> dict[tuple[str, str], tuple[str, ...]]:
    """Package and version to who has it."""
    found: dict[tuple[str, str], set[str]] = {}
    for name, version, who in packages:
        found.setdefault((name, version), set()).add(who)
    return {key: tuple(sorted(value)) for key, value in found.items()}


def in_parts(
    packages: Sequence[tuple[str, str]], ask: Callable[[Sequence[tuple[str, str]]], list[Vulnerability]]
) -> Iterator[Vulnerability]:
    """Asks about packages, several at once, in the order given."""
    size = -(-len(packages) // AT_ONCE) or 1
    parts = [packages[start : start + size] for start in range(0, len(packages), size)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for answer in pool.map(ask, parts):
            yield from answer


def debian_release(packages: Iterable[DebianPackage]) -> str:
    """The distribution as OSV calls it, such as `Debian:12`.

    The version of base-files is that of the release (Debian's base-files, README).
    """
    return next(
        (f"Debian:{each.version.partition('.')[0]}" for each in packages if each.name == "base-files"), "Debian"
    )


def reason(vulnerability: Vulnerability, accepted: Iterable[Accepted]) -> str:
    """Why a vulnerability is left as it is; empty where it is not."""
    return next(
        (
            each.reason
            for each in accepted
            if each.package == vulnerability.package and each.advisory in vulnerability.names
        ),
        "",
    )


def knows_nothing(database: str, package: str) -> DatabaseUnreachable:
    """The error where an answer cannot be true."""
    return DatabaseUnreachable(
        f"{database} knows no vulnerability of {package}, which has some: nothing was audited.",
        remedy="`--database` names another OSV API.",
    )
