"""What the APIs' answers are read as; the answers are openstacksdk's own objects, made of what the services send."""

from types import SimpleNamespace
from typing import Any

import pytest
from openstack.compute.v2.server import Server
from openstack.identity.v3.endpoint import Endpoint
from openstack.identity.v3.project import Project
from openstack.identity.v3.service import Service
from openstack.image.v2.image import Image
from openstack.network.v2.agent import NetworkHostingDHCPAgent
from openstack.network.v2.floating_ip import FloatingIP
from openstack.network.v2.network import Network
from openstack.network.v2.port import Port
from openstack.network.v2.subnet import Subnet

from labctl.cloud.health import (
    CatalogEndpoint,
    Credentials,
    FailedServer,
    FloatingAddress,
    Health,
    ServedNetwork,
    StoredImage,
    UsedQuota,
    fetch_health,
    login_refusal,
)
from labctl.errors import CloudCheckFailed

# openstacksdk warns of its own internals.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")

FAULT = {"code": 500, "message": "No valid host was found."}


def answer(body: dict[str, Any], status: int = 200) -> Any:
    headers = {"content-type": "application/json"}
    request = SimpleNamespace(method="GET", url="http://x")
    return SimpleNamespace(
        status_code=status,
        content=b"",
        json=lambda: body,
        headers=headers,
        url="http://x",
        reason="no",
        text="no",
        request=request,
    )


def cloud(quota_status: int = 200) -> Any:
    """A cloud with one of everything, and what is not of interest."""
    compute = {"id": "p1", "cores": {"in_use": 3, "limit": 20, "reserved": 1}, "ram": {"in_use": 1, "limit": -1}}
    network = {"port": {"used": 4, "limit": 500, "reserved": 0}}
    agent = NetworkHostingDHCPAgent.existing(host="net", alive=True)
    return SimpleNamespace(
        identity=SimpleNamespace(
            services=lambda: [Service.existing(id="s1", type="image")],
            endpoints=lambda: [
                Endpoint.existing(id="e1", service_id="s1", interface="public", url="http://c:9292", enabled=True),
                Endpoint.existing(id="e2", service_id="s1", interface="admin", url="http://d:9292", enabled=False),
            ],
            projects=lambda: [Project.existing(id="p1", name="demo")],
        ),
        image=SimpleNamespace(
            images=lambda **query: [
                Image.existing(id="i1", name="guest", os_hash_algo="sha512", os_hash_value="abc"),
                Image.existing(id="i2", name="volume", os_hash_algo=None, os_hash_value=None),
            ]
        ),
        compute=SimpleNamespace(
            # As nova lists servers that never had a host: without their faults.
            servers=lambda **query: [Server.existing(id="v1"), Server.existing(id="v2")],
            get_server=lambda server: {
                "v1": Server.existing(id="v1", name="big", fault=FAULT),
                "v2": Server.existing(id="v2", name="mute"),
            }[server],
            get=lambda url, microversion: answer({"quota_set": compute}, quota_status),
        ),
        network=SimpleNamespace(
            get=lambda url: answer({"quota": network}),
            ips=lambda: [
                FloatingIP.existing(
                    floating_ip_address="10.77.2.161",
                    fixed_ip_address="172.16.1.190",
                    router_id="r",
                    port_id="p",
                    status="ACTIVE",
                ),
                FloatingIP.existing(floating_ip_address="10.77.2.162"),
            ],
            subnets=lambda **query: [Subnet.existing(id="sub", network_id="n1"), Subnet.existing(network_id="n2")],
            ports=lambda **query: [
                Port.existing(network_id="n1", device_owner="compute:nova"),
                Port.existing(network_id="n2", device_owner="network:dhcp"),
            ],
            networks=lambda: [Network.existing(id="n1", name="self"), Network.existing(id="n2", name="empty")],
            network_hosting_dhcp_agents=lambda network: [agent],
        ),
    )


def test_what_is_read_of_a_cloud() -> None:
    assert fetch_health(cloud()) == Health(
        endpoints=(CatalogEndpoint("e1", "image", "public", "http://c:9292"),),
        images=(StoredImage("i1", "guest", "sha512", "abc"),),
        failed=(FailedServer("v1", "big", "No valid host was found."), FailedServer("v2", "mute", "")),
        quotas=(UsedQuota("demo", "cores", 4, 20), UsedQuota("demo", "port", 4, 500)),
        floating=(FloatingAddress("10.77.2.161", "172.16.1.190", "r"),),
        served=(ServedNetwork("n1", "self", (("net", True),)),),
    )


def test_an_api_that_refuses_is_an_error_for_people() -> None:
    with pytest.raises(CloudCheckFailed, match="look at the quotas"):
        fetch_health(cloud(quota_status=503))


def test_a_keystone_that_is_not_there_refuses() -> None:
    refusal = login_refusal(Credentials("http://127.0.0.1:9/v3", "nova", "secret"))
    assert "ConnectFailure" in refusal
    assert "secret" not in refusal
