"""The catalog and the services' users: endpoints that lead elsewhere, users that get no token."""

from urllib.parse import urlsplit

from labctl.fault.change import Change, Request
from labctl.fault.fault import Where, fault
from labctl.fault.scene import Scene

USER = "placement"
"""Whose user is broken; whoever asks placement anything has its token checked with that user."""


@fault(
    "endpoint-elsewhere",
    title="An endpoint that leads to another host",
    does="Writes the address of a node into the image service's admin endpoint.",
    where=Where.LAB,
    verdict="endpoint-host",
)
def endpoint_elsewhere(scene: Scene) -> Change:
    """As after a move of the control plane to another machine."""
    return _endpoint(scene, str(scene.peer.mgmt))


@fault(
    "endpoint-unresolvable",
    title="An endpoint whose host has no address",
    does="Writes the host controller.invalid into the image service's admin endpoint.",
    where=Where.LAB,
    verdict="endpoint-host",
)
def endpoint_unresolvable(scene: Scene) -> Change:
    """The name can never have an address (RFC 2606)."""
    return _endpoint(scene, "controller.invalid")


def _endpoint(scene: Scene, host: str) -> Change:
    found = scene.objects.endpoint("image", "admin")
    wrong = urlsplit(found.url)._replace(netloc=f"{host}:{urlsplit(found.url).port}").geturl()
    path = f"/endpoints/{found.id}"
    return Change(
        inject=(Request(service="identity", method="PATCH", path=path, body={"endpoint": {"url": wrong}}),),
        clear=(Request(service="identity", method="PATCH", path=path, body={"endpoint": {"url": found.url}}),),
    )


@fault(
    "password-wrong",
    title="A service user with another password",
    does="Gives the user placement a password that is not the one of its configuration.",
    where=Where.LAB,
    verdict="service-user",
)
def password_wrong(scene: Scene) -> Change:
    """The right one is the lab's secret, and stands in no step."""
    path = f"/users/{scene.objects.user(USER)}"

    def password(value: str) -> Request:
        return Request(service="identity", method="PATCH", path=path, body={"user": {"password": value}})

    return Change(inject=(password("not the one"),), clear=(password(f"{{secret:password.user.{USER}}}"),))


@fault(
    "password-expired",
    title="A service user whose password has expired",
    does="Writes a date of the year 2000 into Keystone's database as the end of the password of the user placement.",
    where=Where.LAB,
    verdict="service-user",
)
def password_expired(scene: Scene) -> Change:
    """Keystone looks at both columns (keystone/identity/backends/sql_model.py)."""
    expired = "p.expires_at = '2000-01-01', p.expires_at_int = 946684800000000"
    return Change(
        inject=(scene.sql(_update_password(expired)),),
        clear=(scene.sql(_update_password("p.expires_at = NULL, p.expires_at_int = NULL")),),
    )


def _update_password(values: str) -> str:
    joined = "keystone.password p JOIN keystone.local_user u ON u.id = p.local_user_id"
    return f"UPDATE {joined} SET {values} WHERE u.name = '{USER}'"  # noqa: S608 - nothing of it comes from outside


@fault(
    "user-disabled",
    title="A service user that is disabled",
    does="Disables the user placement.",
    where=Where.LAB,
    verdict="service-user",
)
def user_disabled(scene: Scene) -> Change:
    """The password is right, and no help."""
    path = f"/users/{scene.objects.user(USER)}"

    def enabled(value: bool) -> Request:
        return Request(service="identity", method="PATCH", path=path, body={"user": {"enabled": value}})

    return Change(inject=(enabled(False),), clear=(enabled(True),))


@fault(
    "user-without-role",
    title="A service user without a role",
    does="Takes the roles of the user placement in the project service away.",
    where=Where.LAB,
    verdict="service-user",
)
def user_without_role(scene: Scene) -> Change:
    """A user without a role in a project gets no token for it."""
    user, project = scene.objects.user(USER), scene.objects.project("service")
    paths = [f"/projects/{project}/users/{user}/roles/{role}" for role in scene.objects.roles(user, project)]
    return Change(
        inject=tuple(Request(service="identity", method="DELETE", path=path) for path in paths),
        clear=tuple(Request(service="identity", method="PUT", path=path) for path in paths),
    )


FAULTS = (
    endpoint_elsewhere,
    endpoint_unresolvable,
    password_wrong,
    password_expired,
    user_disabled,
    user_without_role,
)
