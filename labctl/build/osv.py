"""Asking a database of vulnerabilities: OSV's, or another of the same interface (https://ossf.github.io/osv-schema/).

Python packages are asked for through pip-audit. It has no part for Debian, whose packages are counted by their source,
so those are asked for here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import httpx
import requests
from packaging.version import Version
from pip_audit._service import OsvService, ResolvedDependency, ServiceError
from pydantic import BaseModel, ValidationError

from labctl.errors import DatabaseUnreachable

DATABASE: str = OsvService.DEFAULT_OSV_URL


@dataclass(frozen=True)
class Vulnerability:
    """What the database says of one package.

    Attributes:
        package: Its name; of Debian, the source package's.
        version: Its version.
        advisory: The name that people know it by.
        also: Its other names.
        summary: One line; may be empty.
        fixed_in: The first versions without it; empty where there is none yet.
        where: Who has the package: images, or labctl itself.
        accepted: Why it is left as it is; empty where it is not.
    """

    package: str
    version: str
    advisory: str
    also: frozenset[str]
    summary: str
    fixed_in: tuple[str, ...]
    where: tuple[str, ...] = ()
    accepted: str = ""

    @property
    def names(self) -> frozenset[str]:
        """All its names."""
        return self.also | {self.advisory}


def ask_for_python(service: OsvService, name: str, version: str) -> Iterator[Vulnerability]:
    """What the database knows of a Python package.

    Raises:
        DatabaseUnreachable: pip-audit could not ask, or not read the answer.
    """
    try:
        _, answer = service.query(ResolvedDependency(name, Version(version)))
    except (requests.RequestException, ServiceError) as error:
        raise unreachable(service.osv_url, error) from None
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        # What pip-audit makes of JSON that is none of OSV's, such as the answer of a proxy.
        raise no_database(service.osv_url, error) from None
    for known in answer:
        fixed = tuple(str(fix) for fix in known.fix_versions)
        yield Vulnerability(name, version, *named({known.id, *known.aliases}), known.description[:120], fixed)


class Event(BaseModel):
    """An end of a range of versions, as OSV's schema has it."""

    fixed: str | None = None


class Range(BaseModel):
    """A range of versions."""

    events: tuple[Event, ...]


class AffectedPackage(BaseModel):
    """Which package an advisory is about."""

    name: str
    ecosystem: str


class Affected(BaseModel):
    """Versions of a package that have a vulnerability."""

    package: AffectedPackage
    ranges: tuple[Range, ...] = ()


class Advisory(BaseModel):
    """A vulnerability."""

    id: str
    summary: str = ""
    aliases: tuple[str, ...] = ()
    upstream: tuple[str, ...] = ()
    withdrawn: str | None = None
    affected: tuple[Affected, ...] = ()


class Answer(BaseModel):
    """What `query` answers; nothing known of a package is an empty object."""

    vulns: tuple[Advisory, ...] = ()
    next_page_token: str | None = None


def ask_for_debian(client: httpx.Client, database: str, suite: str, name: str, version: str) -> Iterator[Vulnerability]:
    """What the database knows of a source package of Debian; it compares versions as dpkg does.

    Raises:
        DatabaseUnreachable: It does not answer, or something else does.
    """
    question: dict[str, object] = {"package": {"name": name, "ecosystem": suite}, "version": version}
    while True:
        try:
            text = client.post(database, json=question).raise_for_status().text
            answer = Answer.model_validate_json(text)
        except httpx.HTTPError as error:
            raise unreachable(database, error) from None
        except ValidationError as error:
            raise no_database(database, error) from None
        for known in answer.vulns:
            if not known.withdrawn:
                names = {known.id, *known.aliases, *known.upstream}
                yield Vulnerability(name, version, *named(names), known.summary[:120], fixes(known, suite, name))
        if not answer.next_page_token:
            return
        question["page_token"] = answer.next_page_token


def fixes(advisory: Advisory, suite: str, name: str) -> tuple[str, ...]:
    """The versions that mend a package in a suite."""
    meant = [each for each in advisory.affected if (each.package.ecosystem, each.package.name) == (suite, name)]
    return tuple(event.fixed for each in meant for span in each.ranges for event in span.events if event.fixed)


def named(names: Iterable[str]) -> tuple[str, frozenset[str]]:
    """The name that people know a vulnerability by, and the others."""
    first, *others = sorted(names, key=lambda name: (not name.startswith("CVE-"), name))
    return first, frozenset(others)


def unreachable(database: str, error: Exception) -> DatabaseUnreachable:
    """The error where nobody answers."""
    reason = error.__cause__ if isinstance(error, ServiceError) and error.__cause__ else error
    return DatabaseUnreachable(
        f"The vulnerability database {database} could not be reached: nothing was audited.",
        evidence=[f"{type(reason).__name__}: {reason}"],
        remedy="Proxies are taken from the environment (https_proxy); `--database` names another OSV API.",
    )


def no_database(database: str, error: Exception) -> DatabaseUnreachable:
    """The error where something else answers."""
    return DatabaseUnreachable(
        f"What {database} answers is not OSV's: nothing was audited.",
        evidence=f"{type(error).__name__}: {error}".splitlines()[:5],
        remedy="`--database` names another OSV API.",
    )
