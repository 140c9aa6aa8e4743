"""What Neutron's answers are read as."""

from types import SimpleNamespace
from typing import Any

import pytest
from openstack.network.v2.network import Network as NetworkAnswer
from openstack.network.v2.port import Port as PortAnswer
from openstack.network.v2.router import Router

from labctl.cloud.topology import Network, Port
from labctl.cloud.wiring import Wiring, fetch_wiring

# openstacksdk warns of its own internals.
pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning", "ignore::DeprecationWarning")


def cloud() -> Any:
    """A cloud with one of everything, and what is not of interest."""
    port = {"device_owner": "compute:nova", "network_id": "n1", "mac_address": "fa:16:3e:00:00:01", "status": "ACTIVE"}
    return SimpleNamespace(
        network=SimpleNamespace(
            ports=lambda status: [
                PortAnswer.existing(id="86d0b7ea-ae00", binding_host_id="node1", port_security_enabled=True, **port),
                PortAnswer.existing(id="unbound", binding_host_id="", port_security_enabled=False, **port),
            ],
            networks=lambda: [
                NetworkAnswer.existing(
                    id="n1",
                    name="selfservice",
                    mtu=1450,
                    **{"provider:network_type": "vxlan", "provider:segmentation_id": 488},
                ),
                NetworkAnswer.existing(id="n2", name="outside", mtu=1500, **{"provider:network_type": "flat"}),
            ],
            routers=lambda: [
                Router.existing(id="r1", external_gateway_info={"network_id": "n2"}),
                Router.existing(id="r2", external_gateway_info=None),
            ],
        )
    )


def test_answers_are_read() -> None:
    port = Port("86d0b7ea-ae00", "fa:16:3e:00:00:01", (), "n1", "compute:nova", node="node1", is_secured=True)
    networks = {
        "n1": Network("n1", "selfservice", "vxlan", 488, 1450),
        "n2": Network("n2", "outside", "flat", None, 1500),
    }
    assert fetch_wiring(cloud()) == Wiring((port,), networks, ("r1",))


def test_names_of_devices() -> None:
    port = Port("86d0b7ea-ae00-4000", "fa:16:3e:00:00:01", (), "9d1d5a1e-7c00-4000", "compute:nova", node="node1")
    assert (port.tap, port.bridge) == ("tap86d0b7ea-ae", "brq9d1d5a1e-7c")
    assert Wiring((port,)).on("node1") == (port,)
    assert Wiring((port,)).on("node2") == ()
