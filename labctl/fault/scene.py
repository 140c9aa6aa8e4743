"""The lab that a fault is made in: what is known of it, and how to get at its parts."""

from dataclasses import dataclass

from labctl.fault.change import Command
from labctl.fault.objects import Objects
from labctl.lab.addresses import BROKER_PORT, NETWORK_NODE, AddressPlan, Node
from labctl.lab.devices import router_namespace


@dataclass(frozen=True)
class Scene:
    """A lab, and the place in it.

    Attributes:
        lab: Its name.
        plan: Its addresses.
        node: The node that is meant; of no meaning to faults of the whole lab.
        nodes: All nodes.
        objects: What the cloud has; asked when a fault wants to know.
        broker_port: Where the message broker listens.
    """

    lab: str
    plan: AddressPlan
    node: Node
    nodes: tuple[Node, ...]
    objects: Objects
    broker_port: int = BROKER_PORT

    def container(self, service: str) -> str:
        """The container of a service."""
        return f"{self.lab}-{service}"

    def of_node(self, service: str) -> str:
        """The container of a service of the node."""
        return f"{self.lab}-{self.node.name}-{service}"

    def docker(self, *arguments: str, already: str = "") -> Command:
        """A command of docker."""
        return Command(argv=("docker", *arguments), already=already)

    def inside(self, service: str, script: str, *, root: bool = False) -> Command:
        """A shell script in a service's container."""
        user = ("--user", "0") if root else ()
        return self.docker("exec", *user, self.container(service), "sh", "-euc", script)

    def in_node(self, script: str) -> Command:
        """A shell script in the node's network namespace."""
        return self.docker("exec", self.container(self.node.name), "in-node", "sh", "-euc", script)

    def in_router(self, router: str, script: str) -> Command:
        """A shell script in a router's namespace on the network node."""
        return self.docker(
            "exec", self.container(NETWORK_NODE), "ip", "netns", "exec", router_namespace(router), "sh", "-euc", script
        )

    def sql(self, statement: str) -> Command:
        """A statement for the database, as its own root, who needs no password."""
        return self.docker("exec", "--user", "0", self.container("mariadb"), "mariadb", "--execute", statement)

    @property
    def peer(self) -> Node:
        """Another node: for a compute node the network node, through which its servers' packets go."""
        return next(node for node in self.nodes if node.name != self.node.name)
