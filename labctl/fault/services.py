"""Services that do not run: the control plane's, the nodes', one that is stuck."""

from labctl.fault.change import Change
from labctl.fault.fault import Fault, Where, fault
from labctl.fault.scene import Scene

OF_THE_LAB = {
    "nova-api": "The compute API",
    "nova-conductor": "Nova's conductor",
    "placement": "Placement",
    "rabbitmq": "The message broker",
    "memcached": "The cache",
}
OF_A_COMPUTE_NODE = {
    "nova-compute": "nova-compute of a node",
    "libvirt": "libvirt of a node",
    "linuxbridge-agent": "The linuxbridge agent of a node",
}
OF_THE_NETWORK_NODE = {
    "l3-agent": "The L3 agent",
    "dhcp-agent": "The DHCP agent",
    "metadata-agent": "The metadata agent",
}
STOPS = "Stops the container; the engine does not start it again by itself."


def stopped(scene: Scene, container: str) -> Change:
    """A container that somebody stopped."""
    return Change(
        inject=(scene.docker("stop", "--time", "5", container),),
        clear=(scene.docker("start", container),),
    )


def dead(service: str, title: str, where: Where) -> Fault:
    """A service whose container is stopped."""

    def change(scene: Scene) -> Change:
        container = scene.container(service) if where is Where.LAB else scene.of_node(service)
        return stopped(scene, container)

    return Fault(f"{service}-dead", f"{title} does not run", STOPS, where, "service-dead", change)


@fault(
    "keystone-dead",
    title="Keystone does not run",
    does=STOPS,
    where=Where.LAB,
    verdict="cloud-silent",
)
def keystone_dead(scene: Scene) -> Change:
    """Without it nothing can be asked of the cloud."""
    return stopped(scene, scene.container("keystone"))


@fault(
    "mariadb-dead",
    title="The database does not run",
    does=STOPS,
    where=Where.LAB,
    verdict="cloud-silent",
)
def mariadb_dead(scene: Scene) -> Change:
    """The APIs run, and answer with errors."""
    return stopped(scene, scene.container("mariadb"))


@fault(
    "scheduler-paused",
    title="Nova's scheduler stands still",
    does="Freezes the container.",
    where=Where.LAB,
    verdict="service-dead",
)
def scheduler_paused(scene: Scene) -> Change:
    """Its processes are there, and do nothing."""
    container = scene.container("nova-scheduler")
    return Change(
        inject=(scene.docker("pause", container),), clear=(scene.docker("unpause", container, already="is not paused"),)
    )


@fault(
    "glance-stuck",
    title="The image API takes requests and never answers",
    does="Stops the processes of the service with SIGSTOP; its container runs.",
    where=Where.LAB,
    verdict="cloud-silent",
)
def glance_stuck(scene: Scene) -> Change:
    """A signal to -1 goes to all processes of the container but its first one and the sender's (kill(2))."""
    return Change(inject=(scene.inside("glance", "kill -STOP -1"),), clear=(scene.inside("glance", "kill -CONT -1"),))


FAULTS = (
    *(dead(service, title, Where.LAB) for service, title in OF_THE_LAB.items()),
    keystone_dead,
    mariadb_dead,
    scheduler_paused,
    glance_stuck,
    *(dead(service, title, Where.COMPUTE) for service, title in OF_A_COMPUTE_NODE.items()),
    *(dead(service, title, Where.NETWORK) for service, title in OF_THE_NETWORK_NODE.items()),
)
