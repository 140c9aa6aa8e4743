"""What a cloud says that it can do."""

from types import SimpleNamespace
from typing import Any

import pytest

from labctl.cloud.features import Microversions, microversions, object_apis, read_features


class Answer:
    def __init__(self, body: Any, *, is_ok: bool = True) -> None:
        self.body, self.ok = body, is_ok

    def json(self) -> Any:
        return self.body


class Proxy(SimpleNamespace):
    """One of openstacksdk's proxies: attributes are lists to return, `answers` what paths give."""

    def get(self, path: str, raise_exc: bool = True) -> Answer:
        assert not raise_exc
        return self.answers.get(path, Answer({}, is_ok=False))

    def get_endpoint_data(self) -> Any:
        least, most = self.versions
        return SimpleNamespace(min_microversion=least, max_microversion=most)


def host(name: str, state: str = "up", status: str = "enabled") -> Any:
    return SimpleNamespace(host=name, state=state, status=status)


def cloud(*services: str, realms: Any = None) -> Any:
    access = SimpleNamespace(service_catalog=SimpleNamespace(catalog=[{"type": one} for one in services]))
    answers = {
        "/info/import": Answer({"import-methods": {"value": ["web-download"]}}),
        "/schemas/image": Answer({"properties": {"disk_format": {"enum": [None, "qcow2"]}}}),
    }
    pool = {"volume_backend_name": "rbd", "storage_protocol": ["ceph"], "vendor_name": "Open Source"}
    many = SimpleNamespace(name="many", extra_specs={"multiattach": "<is> True"})
    return SimpleNamespace(
        session=SimpleNamespace(
            auth=SimpleNamespace(get_access=lambda session: access),
            get=lambda address: Answer({"swift": {}, "slo": {}, "container_sync": {"realms": realms}, address: {}}),
        ),
        identity=Proxy(roles=lambda: [SimpleNamespace(name="member")]),
        compute=Proxy(
            versions=((2, 1), (2, 96)),
            services=lambda binary: [
                host("node2"),
                host("node1"),
                host("node3", "down"),
                host("node4", "up", "disabled"),
            ],
            hypervisors=lambda details: [SimpleNamespace(hypervisor_type="QEMU")],
        ),
        placement=Proxy(versions=((1, 0), (1, 39))),
        network=Proxy(extensions=lambda: [SimpleNamespace(alias="router"), SimpleNamespace(alias="dvr")]),
        image=Proxy(answers=answers),
        block_storage=Proxy(
            versions=((3, 0), (3, 71)),
            backend_pools=lambda: [SimpleNamespace(capabilities=pool)],
            types=lambda: [SimpleNamespace(name="plain", extra_specs={}), many],
            extensions=lambda: [SimpleNamespace(alias="backups")],
            services=lambda binary: [host("node1", "down")],
        ),
        object_store=Proxy(get_endpoint=lambda: "http://10.77.0.1:8080/v1/AUTH_x"),
    )


def test_a_plain_cloud_has_no_volumes_and_no_objects() -> None:
    found = read_features(cloud("compute", "image"))
    assert found.compute == Microversions("2.1", "2.96")
    assert found.compute_nodes == ("node1", "node2")
    assert found.network_extensions == ("dvr", "router")
    assert found.image.import_methods == ("web-download",)
    assert found.image.disk_formats == ("qcow2",)
    assert not found.image.has_cache
    assert found.volume is None
    assert found.object_apis is None


@pytest.mark.parametrize("name", ["block-storage", "volumev3"])
def test_cinder_says_what_its_back_end_is(name: str) -> None:
    volume = read_features(cloud("compute", name)).volume
    assert volume is not None
    assert (volume.backends, volume.storage_protocol, volume.vendor_name) == (("rbd",), "ceph", "Open Source")
    assert volume.multiattach_type == "many"
    assert not volume.has_backup


def test_swift_is_asked_at_the_root_of_its_server() -> None:
    assert object_apis(cloud("object-store")) == ("http://10.77.0.1:8080/info", "slo", "swift")


def test_containers_are_synchronized_where_there_is_a_realm() -> None:
    assert "container_sync" in object_apis(cloud("object-store", realms={"one": {}}))


def test_an_api_without_microversions_has_none() -> None:
    assert microversions(Proxy(versions=(None, None))) == Microversions()
