"""A cloud, a few tests, and what became of them."""

from ipaddress import IPv4Address, IPv4Network

from labctl.cloud.features import CloudFeatures, ImageFeatures, Microversions, VolumeFeatures
from labctl.verify.configuration import Account, Ingredients, Place
from labctl.verify.evidence import Failure, LogLine, Request
from labctl.verify.results import Outcome, Result, Status
from labctl.verify.run import Verdict
from labctl.verify.suite import Selection, TempestTest

REQUEST = "req-11111111-2222-3333-4444-555555555555"
OTHER_REQUEST = "req-99999999-2222-3333-4444-555555555555"

BOOT = TempestTest("tempest.api.compute.test_x.ServersTest.test_boot[id-aaaa,smoke]")
STOP = TempestTest("tempest.api.compute.test_x.ServersTest.test_stop[id-bbbb]")
LIST = TempestTest("tempest.api.volume.test_y.VolumesTest.test_list[id-cccc,smoke]")
SCENARIO = TempestTest("tempest.scenario.test_z.TestZ.test_all[compute,id-dddd,network]")
UNIT = TempestTest("tempest.serial_tests.test_s.TestS.test_one[id-eeee]")
TESTS = (BOOT, STOP, LIST, SCENARIO, UNIT)

PLAIN = CloudFeatures(
    services=frozenset({"compute", "identity", "image", "network", "placement"}),
    roles=frozenset({"admin", "member"}),
    compute=Microversions("2.1", "2.96"),
    placement=Microversions("1.0", "1.39"),
    compute_nodes=("node1", "node2"),
    hypervisor="QEMU",
    network_extensions=("port-security", "router"),
    image=ImageFeatures(("glance-direct", "web-download"), ("file",), False, ("qcow2", "raw"), ("bare",)),
)
VOLUMES = VolumeFeatures(Microversions("3.0", "3.71"), ("backups",), ("rbd",), "ceph", "Open Source", True, "many")
ACCOUNT = Account("http://10.77.0.1:5000/v3", "RegionOne", "admin", "pa$$word", "admin", "Default")
INGREDIENTS = Ingredients(
    "verify-abc",
    "i1",
    "i2",
    "f1",
    "f2",
    "n1",
    "outside",
    IPv4Network("10.77.2.0/24"),
    "lab",
    {"hw_rng_model": "virtio"},
)
PLACE = Place("/run/tempest", "/guest/image", IPv4Address("10.77.0.1"), frozenset({"nova-novncproxy"}))


def verdict() -> Verdict:
    """One test passed, one failed with evidence, one was skipped for want of a service."""
    failed = Result(
        STOP.id, Status.FAILED, 100.0, 2.0, traceback="Traceback:\nAssertionError: <b>not</b> stopped\x1b[0m"
    )
    results = (
        Result(BOOT.id, Status.PASSED, 99.0, 4.5),
        failed,
        Result(LIST.id, Status.SKIPPED, 99.0, reason="VolumesTest skipped as Cinder is not available"),
    )
    request = Request(REQUEST, "POST", "http://10.77.0.1:8774/v2.1/servers", 202)
    line = LogLine("nova-compute", f"ERROR nova.compute [{REQUEST}] no <disk>", frozenset({REQUEST}))
    return Verdict(
        "smoke",
        2,
        PLAIN,
        Selection((BOOT, STOP, LIST)),
        Outcome(results, 12.0),
        (Failure(failed, (request,), (line,)),),
        (),
    )
