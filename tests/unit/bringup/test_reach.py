"""What `reach` names is looked up on the engine before anything is changed."""

from types import SimpleNamespace
from typing import Any

import pytest

from labctl.bringup import reach
from labctl.errors import BadInput
from labctl.lab.reach import Opening, Reach


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(reach, "default_route_bridges", lambda: ("br0",))
    networks = [
        {"Name": "bridge", "Id": "0" * 64, "Options": {"com.docker.network.bridge.name": "docker0"}},
        {"Name": "kind", "Id": "0123456789abcdef" * 4, "Options": None},
    ]
    return SimpleNamespace(api=SimpleNamespace(networks=lambda filters: networks))


def test_nothing_is_opened_by_default(client: Any) -> None:
    assert reach.look_up(client, Reach()) == Opening()


def test_a_network_is_its_bridge(client: Any) -> None:
    found = reach.look_up(client, Reach(networks=("kind", "bridge")))
    assert found == Opening(devices=("br-0123456789ab", "docker0"))


def test_the_local_network_may_come_by_a_bridge(client: Any) -> None:
    assert reach.look_up(client, Reach(local_network=True)) == Opening(local_network=True, devices=("br0",))


def test_a_network_that_is_not_there_is_named(client: Any) -> None:
    with pytest.raises(BadInput, match="'kindd'") as refused:
        reach.look_up(client, Reach(networks=("kindd",)))
    assert refused.value.remedy == "did you mean 'kind'?"
    assert refused.value.evidence == ("it has bridge, kind",)
