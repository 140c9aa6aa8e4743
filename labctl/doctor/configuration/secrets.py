"""Secrets that two files must agree on; what is shown is where they stand, never what they are."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from labctl.doctor.check import Evidence, check
from labctl.doctor.configuration.authentication import PASSWORD_NAMES, USER_NAMES
from labctl.doctor.configuration.facts import ConfigurationFacts, Value
from labctl.findings import Place

METADATA = "metadata_proxy_shared_secret"
MOST_SHOWN = 3


@dataclass(frozen=True)
class Secret:
    """A secret, and where it stands.

    Attributes:
        of: What it opens: secrets of the same must be the same.
        text: The secret.
        value: The value that holds it.
    """

    of: str
    text: str = field(repr=False)
    value: Value

    def __str__(self) -> str:
        """Where it stands."""
        return f"{self.value.value_place} {self.value.option}"


def disagreements(secrets: Iterable[Secret]) -> Iterator[Evidence]:
    """Finds secrets of one thing that are not the same: those that fewer files have, and of two the later one."""
    in_order = sorted(secrets, key=lambda secret: secret.of)
    for of, group in groupby(in_order, key=lambda secret: secret.of):
        by_text: dict[str, list[Secret]] = {}
        for secret in group:
            by_text.setdefault(secret.text, []).append(secret)
        most = max(by_text.values(), key=len)
        for fewer in by_text.values():
            for secret in fewer if fewer is not most else ():
                others = [f"another value: {other}" for other in most[:MOST_SHOWN]]
                if len(most) > MOST_SHOWN:
                    others.append(f"and {len(most) - MOST_SHOWN} more that agree with those")
                yield Evidence(
                    (f"{of}: {secret.value.option} differs from other files", *others), secret.value.value_place
                )


@check(
    "password-broker",
    title="Passwords of the broker that differ",
    why="The service whose password is wrong is refused by RabbitMQ and waits for ever; its agents look dead.",
    remedy="Give both the same; `rabbitmqctl authenticate_user USER PASSWORD` tells which one is right.",
)
def password_broker(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """transport_url: one user of one broker has one password."""
    return disagreements(_of_urls(facts, "transport_url", "broker user"))


@check(
    "password-database",
    title="Passwords of the database that differ",
    why="The service whose password is wrong cannot read its database: it answers with 500, or does not start.",
    remedy="Give both the same; `mysql -u USER -p -h HOST` tells which one is right.",
)
def password_database(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Connection: one user of one database server has one password."""
    return disagreements(_of_urls(facts, "connection", "database user"))


def _of_urls(facts: ConfigurationFacts, name: str, what: str) -> Iterator[Secret]:
    for value in facts.named(name):
        for login in value.logins:
            if login.user:
                yield Secret(f"{what} {login.user!r}", login.password, value)


@check(
    "password-service-user",
    title="Passwords of a service user that differ",
    why="Keystone knows one of them: with the other the service gets no token (401).",
    remedy="Give both the same; `openstack token issue` as that user tells which one is right.",
)
def password_service_user(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Sections with a user and a password: one user has one password, whoever uses it."""
    return disagreements(_of_users(facts))


def _of_users(facts: ConfigurationFacts) -> Iterator[Secret]:
    sections: dict[tuple[str, str], list[Value]] = {}
    for value in facts.values:
        sections.setdefault((value.place.path, value.section), []).append(value)
    for values in sections.values():
        users = [value for value in values if value.name in USER_NAMES]
        for password in [value for value in values if value.name in PASSWORD_NAMES] if users else []:
            yield Secret(f"service user {users[-1].text!r}", password.text, password)


@check(
    "metadata-secret",
    title="Nova and the metadata agent do not share a secret",
    why="Nova refuses the metadata requests that the agent passes on (403): servers get no ssh key and no user data.",
    remedy="The same metadata_proxy_shared_secret in nova.conf, section [neutron], and in metadata_agent.ini, section "
    "[DEFAULT]; with service_metadata_proxy = true in nova.conf.",
)
def metadata_secret(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """The metadata secret: the same everywhere, and neither side without one."""
    given = facts.named(METADATA)
    yield from disagreements(Secret("metadata proxy", value.text, value) for value in given)
    agents = [one for one in facts.files if one.file.path.name == "metadata_agent.ini"]
    apis = [one for one in facts.files if one.service == "nova" and _is_api(facts, str(one.file.path))]
    if not agents or not apis:
        return
    for one in (*agents, *apis):
        if given and all(value.place.path != str(one.file.path) for value in given):
            others = tuple(f"there is one: {value.place} {value.option}" for value in given[:MOST_SHOWN])
            yield Evidence((f"no {METADATA} here", *others), Place(str(one.file.path), 1))
    for value in facts.named("service_metadata_proxy"):
        if given and value.service == "nova" and value.text.lower() in {"false", "no", "0", "off"}:
            yield Evidence((f"{value.option} = {value.text}, and the metadata agent is set up",), value.value_place)


def _is_api(facts: ConfigurationFacts, path: str) -> bool:
    """Whether a file is of nova's APIs."""
    tells = facts.tells_api.get("nova", "")
    return any(f"{value.section}.{value.name}" == tells for value in facts.values if value.place.path == path)


CHECKS = (password_broker, password_database, password_service_user, metadata_secret)
