"""Whether services can ask Keystone who somebody is, and as whom they do."""

import re
from collections.abc import Iterator

from labctl.doctor.check import Evidence, check
from labctl.doctor.configuration.facts import ConfigurationFacts
from labctl.findings import Place

SECTION = "keystone_authtoken"
USER_NAMES = ("username", "user_name", "user-name", "admin_user")
PASSWORD_NAMES = ("password", "admin_password")
KEYSTONE_URLS = ("auth_url", "www_authenticate_uri", "auth_uri", "identity_uri")


@check(
    "keystone-authtoken-missing",
    title="An API without a service user",
    why="The API cannot have Keystone check a token: it answers every request with 401, or does not start.",
    remedy="Give [keystone_authtoken] auth_url, auth_type = password, username, password, project_name, "
    "user_domain_name and project_domain_name.",
)
def keystone_authtoken_missing(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Files of APIs whose [keystone_authtoken] is not there, or is empty."""
    for one in facts.files:
        values = facts.of_file(one)
        tells = values.get(facts.tells_api.get(one.service, ""))
        if tells is None or one.removed or any(name.startswith(f"{SECTION}.") for name in values):
            continue
        section = next((section.at.line for section in one.file.sections if section.name.lower() == SECTION), None)
        there = f"[{SECTION}] is empty" if section else f"there is no section [{SECTION}]"
        lines = (there, f"{tells.place}: {tells.option} says that this is the file of an API")
        yield Evidence(lines, Place(str(one.file.path), section or 1))


@check(
    "glance-without-keystone",
    title="Glance does not ask Keystone",
    why="Without `flavor = keystone` glance-api takes every request for that of an administrator: anybody who reaches "
    "it may change and delete images.",
    remedy="[paste_deploy] flavor = keystone (or keystone+caching, keystone+cachemanagement).",
)
def glance_without_keystone(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Glance's paste pipeline, whose default asks nobody (glance's etc/glance-api-paste.ini)."""
    for one in facts.files:
        if one.file.path.name == "glance-api.conf":
            flavor = facts.of_file(one).get("paste_deploy.flavor")
            if flavor is None:
                yield Evidence(("[paste_deploy] flavor is not set",), Place(str(one.file.path), 1))
            elif "keystone" not in flavor.text:
                yield Evidence((f"[paste_deploy] flavor is {flavor.text!r}",), flavor.value_place)


@check(
    "service-user-of-another",
    title="A service that uses the user of another",
    why="Rights cannot be given to one without the other, logs name the wrong service, and a new password for one "
    "locks out both.",
    remedy="Make a user for each service: `openstack user create`, `openstack role add --project service --user`.",
)
def service_user_of_another(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Users in [keystone_authtoken] that are called as another service that has files here."""
    services = {one.service for one in facts.files}
    for value in facts.named(*USER_NAMES):
        if value.section == SECTION and value.text in services - {value.service}:
            line = f"{value.service} asks Keystone as the user {value.text!r}"
            yield Evidence((line,), value.value_place, is_error=False)


@check(
    "identity-v2",
    title="Version 2 of Keystone's API",
    why="There is no v2.0 any more: every request for a token ends with 404.",
    remedy="Leave the version out of the URL, or make it /v3.",
)
def identity_v2(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """URLs of Keystone that end with v2.0."""
    for value in facts.named(*KEYSTONE_URLS):
        if re.fullmatch(r"[^/]*//[^/?#]*/v2\.0/*(?:[?#].*)?", value.text):
            yield Evidence((f"{value.option} = {value.text}",), value.value_place)


@check(
    "catalog-templated",
    title="A catalog of services out of a file",
    why="With the templated back end Keystone takes its catalog from a file: `openstack service create` and `openstack "
    "endpoint create` are refused or go nowhere, and no table of the database has an entry.",
    remedy="[catalog] driver = sql (the default: leave both lines out), then create services and endpoints again.",
)
def catalog_templated(facts: ConfigurationFacts) -> Iterator[Evidence]:
    """Keystone's catalog back end: `templated`, or the class by its full name."""
    for value in facts.values:
        is_driver = (value.service, value.section, value.name) == ("keystone", "catalog", "driver")
        if is_driver and "templated" in value.text.lower():
            yield Evidence((f"[catalog] driver = {value.text}",), value.value_place)


CHECKS = (
    keystone_authtoken_missing,
    glance_without_keystone,
    service_user_of_another,
    identity_v2,
    catalog_templated,
)
