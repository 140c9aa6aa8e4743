"""A lab that faults are made in, without an engine and without a cloud."""

from ipaddress import IPv4Network

from labctl.fault.objects import Endpoint, Floating, Objects, Quota
from labctl.fault.scene import Scene
from labctl.lab.addresses import AddressPlan

PLAN = AddressPlan(IPv4Network("10.77.0.0/22"))
NODES = PLAN.nodes(["node1", "node2"])
NETWORK = "9d1d5a1e-7c11-4000-8000-000000000001"
ROUTER = "4f1a0000-0000-4000-8000-000000000002"


class MadeUpObjects(Objects):
    """A cloud with one of everything."""

    def __init__(self) -> None:
        super().__init__(lambda: None, PLAN.provider)  # type: ignore[arg-type,return-value]

    def endpoint(self, type: str, interface: str) -> Endpoint:
        return Endpoint(f"{type}-{interface}", "http://10.77.0.1:9292")

    def user(self, name: str) -> str:
        return f"user-{name}"

    def project(self, name: str) -> str:
        return f"project-{name}"

    def roles(self, user: str, project: str) -> tuple[str, ...]:
        return ("role-admin", "role-service")

    def compute_service(self, host: str) -> str:
        return f"service-of-{host}"

    def security_group_quota(self, project: str) -> Quota:
        return Quota(project, 10, 1)

    def floating_ip(self) -> Floating:
        return Floating("10.77.2.161", "172.16.1.190", ROUTER)

    def floating_port(self, host: str) -> str:
        return "86d0b7ea-ae00-4000-8000-000000000003"

    def server_of(self, port: str) -> str:
        return "server-1"

    def gateway_of(self, router: str) -> str:
        return "10.77.2.1"

    def server_port(self, host: str) -> str:
        return "86d0b7ea-ae00-4000-8000-000000000003"

    def dhcp_network(self, host: str) -> str:
        return NETWORK

    def segment(self, network: str) -> int:
        return 488

    def mtu(self, network: str) -> int:
        return 1450

    def network_of_port(self, port: str) -> str:
        return NETWORK

    def mac_address(self, port: str) -> str:
        return "fa:16:3e:86:3d:92"


def scene(node: str = "node1") -> Scene:
    return Scene("lab", PLAN, next(one for one in NODES if one.name == node), NODES, MadeUpObjects())
