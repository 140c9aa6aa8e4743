"""What the cloud keeps: the broker's rights, schemas, cells, images, servers, quotas."""

from labctl.fault.change import Change, Command, Request
from labctl.fault.fault import Where, fault
from labctl.fault.scene import Scene

NAME = "labctl-fault"
RABBITMQCTL = "/usr/lib/rabbitmq/bin/rabbitmqctl"
"""Behind Debian's script of that name, which refuses the user that the container runs as."""
STAMPS = "/var/lib/mysql/labctl-schemas.json"


@fault(
    "broker-permissions",
    title="The broker's user may do nothing",
    does="Takes the rights of the user openstack in RabbitMQ away; connections stay.",
    where=Where.LAB,
    verdict="broker-permissions",
)
def broker_permissions(scene: Scene) -> Change:
    """The three rights are patterns of names: configure, write, read."""

    def rights(pattern: str) -> Command:
        return scene.docker(
            "exec",
            scene.container("rabbitmq"),
            RABBITMQCTL,
            "--quiet",
            "set_permissions",
            "openstack",
            *(3 * [pattern]),
        )

    return Change(inject=(rights("^$"),), clear=(rights(".*"),))


@fault(
    "schema-behind",
    title="A database that other packages migrated",
    does="Writes another stamp for nova's databases into the file beside them; the databases stay as they are.",
    where=Where.LAB,
    verdict="schema-behind",
)
def schema_behind(scene: Scene) -> Change:
    """The stamp is marked, so that the mark can be taken off again."""
    mark, unmark = r's/("nova": ")(older-)*/\1older-/', r's/("nova": ")(older-)*/\1/'
    # sed -i would make a file in a folder that is MariaDB's own.
    script = f"new=$(sed -E '%s' {STAMPS}) && printf '%s\\n' \"$new\" > {STAMPS}"
    return Change(
        inject=(scene.inside("mariadb", script % (mark, "%s"), root=True),),
        clear=(scene.inside("mariadb", script % (unmark, "%s"), root=True),),
    )


@fault(
    "host-unmapped",
    title="A node that is in no cell",
    does="Deletes the node from nova's table of hosts and their cells.",
    where=Where.COMPUTE,
    verdict="host-unmapped",
)
def host_unmapped(scene: Scene) -> Change:
    """The scheduler's own search finds only nodes that have never been mapped; --by-service looks at all."""
    delete = f"DELETE FROM nova_api.host_mappings WHERE host = '{scene.node.name}'"  # noqa: S608 - the lab's own name
    return Change(
        inject=(scene.sql(delete),),
        clear=(scene.inside("nova-conductor", "nova-manage cell_v2 discover_hosts --by-service"),),
    )


@fault(
    "compute-disabled",
    title="A node that nova has taken out of service",
    does="Disables the compute service with a reason as nova itself writes it.",
    where=Where.COMPUTE,
    verdict="compute-disabled",
)
def compute_disabled(scene: Scene) -> Change:
    """Nova does so when libvirt does not answer, and ten failed builds (nova/virt/libvirt/driver.py, manager.py)."""
    path = f"/os-services/{scene.objects.compute_service(scene.node.name)}"
    reason = "AUTO: Connection to libvirt lost"
    return Change(
        inject=(_service(path, {"status": "disabled", "disabled_reason": reason}),),
        clear=(_service(path, {"status": "enabled"}),),
    )


def _service(path: str, body: dict[str, str]) -> Request:
    return Request(service="compute", method="PUT", path=path, body=body, microversion="2.53")


@fault(
    "image-damaged",
    title="An image whose data changed",
    does="Uploads a small image and adds to its file.",
    where=Where.LAB,
    verdict="image-checksum",
)
def image_damaged(scene: Scene) -> Change:
    """Glance keeps the checksum of what was uploaded."""
    return Change(
        inject=(*_image("raw"), scene.inside("glance", "echo more >> /var/lib/glance/images/{image}")),
        clear=(_delete("image", "/images/{image}"),),
    )


@fault(
    "image-mislabelled",
    title="An image that is not of the format that it claims",
    does="Uploads a small file as qcow2, which it is not, and boots a server from it.",
    where=Where.LAB,
    verdict="server-error",
)
def image_mislabelled(scene: Scene) -> Change:
    """Nova looks at the data before it uses it, and refuses (nova/virt/images.py)."""
    return Change(
        inject=(*_image("qcow2"), *_server(disk=1)),
        clear=_delete_server(),
    )


@fault(
    "flavor-too-big",
    title="A server that no node has room for",
    does="Boots a server with a disk of ten petabytes.",
    where=Where.LAB,
    verdict="no-valid-host",
)
def flavor_too_big(scene: Scene) -> Change:
    """Placement finds no candidate; unlike memory and processors, disks have no quota in nova."""
    return Change(inject=(*_image("raw"), *_server(disk=10_000_000)), clear=_delete_server())


@fault(
    "quota-used-up",
    title="A quota of which nothing is left",
    does="Sets the admin project's quota of security groups to the number that it has.",
    where=Where.LAB,
    verdict="quota",
)
def quota_used_up(scene: Scene) -> Change:
    """Neutron gives each project a first security group by itself."""
    quota = scene.objects.security_group_quota(scene.objects.project("admin"))

    def limit(value: int) -> Request:
        path = f"/quotas/{quota.project}"
        return Request(service="network", method="PUT", path=path, body={"quota": {"security_group": value}})

    return Change(inject=(limit(quota.used),), clear=(limit(quota.limit),))


def _image(disk_format: str) -> tuple[Request, ...]:
    about = {"name": NAME, "disk_format": disk_format, "container_format": "bare"}
    octets = "application/octet-stream"
    return (
        Request(service="image", method="POST", path="/images", body=about, makes="image"),
        Request(service="image", method="PUT", path="/images/{image}/file", data="not a disk", content_type=octets),
    )


def _server(disk: int) -> tuple[Request, ...]:
    flavor = {"name": NAME, "ram": 64, "vcpus": 1, "disk": disk}
    server = {"name": NAME, "imageRef": "{image}", "flavorRef": "{flavor}", "networks": "none"}
    return (
        Request(service="compute", method="POST", path="/flavors", body={"flavor": flavor}, makes="flavor"),
        Request(
            service="compute",
            method="POST",
            path="/servers",
            body={"server": server},
            makes="server",
            microversion="2.37",
        ),
    )


def _delete_server() -> tuple[Request, ...]:
    return (
        _delete("compute", "/servers/{server}"),
        _delete("compute", "/flavors/{flavor}"),
        _delete("image", "/images/{image}"),
    )


def _delete(service: str, path: str) -> Request:
    return Request(service=service, method="DELETE", path=path)


FAULTS = (
    broker_permissions,
    schema_behind,
    host_unmapped,
    compute_disabled,
    image_damaged,
    image_mislabelled,
    flavor_too_big,
    quota_used_up,
)
