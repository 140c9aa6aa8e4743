"""Files against each other: what must be the same, and who must be known."""

import json
from pathlib import Path

import pytest

from labctl.errors import BadInput
from labctl.files import write_folder
from tests.unit.doctor.recorded_services import examined, examined_texts, found, gather
from tests.unit.render.fixed_lab import make_plan, render

TOKEN = """\
[keystone_authtoken]
auth_url = http://controller:5000/v3
auth_type = password
username = {user}
password = {password}
"""
NOVA_API = """\
[DEFAULT]
transport_url = rabbit://openstack:rabbit-secret@controller:5672/
my_ip = 10.0.0.1
[api_database]
connection = mysql+pymysql://nova:nova-secret@controller/nova_api
[database]
connection = mysql+pymysql://nova:nova-secret@controller/nova
[neutron]
username = neutron
password = neutron-secret
service_metadata_proxy = true
metadata_proxy_shared_secret = metadata-secret
""" + TOKEN.format(user="nova", password="nova-user-secret")
NOVA_COMPUTE = """\
[DEFAULT]
transport_url = rabbit://openstack:rabbit-secret@controller:5672/
my_ip = 10.0.0.2
"""
NEUTRON = """\
[DEFAULT]
transport_url = rabbit://openstack:rabbit-secret@controller:5672/
[database]
connection = mysql+pymysql://neutron:db-secret@controller/neutron
""" + TOKEN.format(user="neutron", password="neutron-secret")
METADATA = """\
[DEFAULT]
nova_metadata_host = controller
metadata_proxy_shared_secret = metadata-secret
"""
RIGHT = {
    "controller/nova.conf": NOVA_API,
    "controller/neutron/neutron.conf": NEUTRON,
    "controller/metadata_agent.ini": METADATA,
    "compute/etc/nova/nova.conf": NOVA_COMPUTE,
}


def changed(name: str, old: str, new: str) -> dict[str, str]:
    assert old in RIGHT[name]
    return {**RIGHT, name: RIGHT[name].replace(old, new)}


def test_nothing_is_wrong_with_files_that_agree(tmp_path: Path) -> None:
    assert examined_texts(tmp_path, RIGHT) == ()


@pytest.mark.parametrize("folder", [".", "etc"])
def test_nothing_is_wrong_with_what_labctl_itself_writes(tmp_path: Path, folder: str) -> None:
    known = ("keystone", "glance", "nova", "neutron", "placement")
    rendered = {name: text for name, text in render(make_plan()).items() if Path(name).parent.name in known}
    write_folder(tmp_path, rendered)
    facts = gather(tmp_path / folder)
    assert facts.host_names == {"net", "node1", "node2"}
    assert examined(tmp_path / folder) == ()


@pytest.mark.parametrize(
    ("name", "old", "new", "check", "place"),
    [
        ("compute/etc/nova/nova.conf", "rabbit-s", "rabit-s", "password-broker", "compute/etc/nova/nova.conf:2:17"),
        ("controller/nova.conf", "nova-secret@controller/nova\n", "x@controller/nova\n", "password-database", ":7:14"),
        ("controller/neutron/neutron.conf", "neutron-s", "s", "password-service-user", "controller/nova.conf:10:12"),
        ("controller/metadata_agent.ini", "metadata-s", "s", "metadata-secret", "controller/nova.conf:12:32"),
        (
            "controller/metadata_agent.ini",
            "metadata_proxy_shared_secret = metadata-secret",
            "",
            "metadata-secret",
            "controller/metadata_agent.ini:1:1",
        ),
        (
            "controller/nova.conf",
            "metadata_proxy_shared_secret = metadata-secret",
            "",
            "metadata-secret",
            "controller/nova.conf:1:1",
        ),
        ("controller/nova.conf", "service_metadata_proxy = true", "service_metadata_proxy = no", "metadata-secret", ""),
        ("compute/etc/nova/nova.conf", "@controller", "@contoller", "host-unknown", "compute/etc/nova/nova.conf:2:17"),
        (
            "controller/neutron/neutron.conf",
            "//controller:5000",
            "//keystone:5000",
            "host-unknown",
            "neutron.conf:6:12",
        ),
        ("controller/metadata_agent.ini", "= controller", "= 10.9.9.9", None, ""),
        ("compute/etc/nova/nova.conf", "@controller", "@compute", "host-differs", "compute/etc/nova/nova.conf:2:17"),
        ("compute/etc/nova/nova.conf", "@controller", "@localhost", "host-differs", "compute/etc/nova/nova.conf:2:17"),
        ("compute/etc/nova/nova.conf", "@controller", "@10.0.0.1", None, ""),
        ("compute/etc/nova/nova.conf", "@controller", "@controller.example.org", None, ""),
        ("controller/neutron/neutron.conf", "= neutron\n", "= nova\n", "service-user-of-another", "neutron.conf:8:12"),
        ("controller/nova.conf", ":5000/v3", ":5000/v2.0", "identity-v2", "controller/nova.conf:14:12"),
        ("controller/nova.conf", "[keystone_authtoken]", "[service_user]", "keystone-authtoken-missing", ":1:1"),
    ],
)
def test_files_that_do_not_agree(tmp_path: Path, name: str, old: str, new: str, check: str | None, place: str) -> None:
    findings = examined_texts(tmp_path, changed(name, old, new))
    if check is None:
        assert findings == ()
        return
    assert [one.endswith(place) for one in found(findings, check)] == [True]
    assert "secret" not in str([finding.evidence for finding in findings]).replace("shared_secret", "")


def test_most_files_are_right(tmp_path: Path) -> None:
    """Of three that should be the same, the one that differs is the wrong one."""
    findings = examined_texts(tmp_path, changed("controller/nova.conf", "rabbit-secret", "other"))
    assert found(findings, "password-broker") == ["controller/nova.conf:2:17"]


def test_glance_that_asks_nobody(tmp_path: Path) -> None:
    texts = {
        "a/glance-api.conf": "[DEFAULT]\ndebug = true\n",
        "b/glance-api.conf": "[paste_deploy]\nflavor = caching\n",
    }
    findings = examined_texts(tmp_path, texts)
    assert found(findings, "glance-without-keystone") == ["a/glance-api.conf:1:1", "b/glance-api.conf:2:10"]


def test_drop_ins_belong_to_their_service(tmp_path: Path) -> None:
    findings = examined_texts(tmp_path, {**RIGHT, "compute/nova/nova.conf.d/10-x.conf": "[libvirt]\nvirt_typ = qemu\n"})
    assert found(findings, "option-unknown") == ["compute/nova/nova.conf.d/10-x.conf:2:1"]


def test_sections_that_set_nothing_do_no_harm(tmp_path: Path) -> None:
    findings = examined_texts(tmp_path, {"nova.conf": "[DEFAULT]\n[cells]\n[xvp]\na = 1\n"})
    assert found(findings, "section-unknown") == ["nova.conf:3:1"]


def test_endpoints_as_json(tmp_path: Path) -> None:
    def endpoint(type_: str, host: str) -> dict[str, object]:
        url = f"http://{host}/{type_}"
        return {"Region": "R", "Service Type": type_, "Enabled": True, "Interface": "public", "URL": url}

    rows = [endpoint("image", "controller"), endpoint("compute", "controler"), endpoint("network", "controller")]
    findings = examined_texts(tmp_path, {**RIGHT, "endpoints.json": json.dumps(rows, indent=2)})
    assert found(findings, "host-unknown") == ["endpoints.json:14:1"]


def test_what_is_no_folder_of_configuration_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no folder"):
        examined(tmp_path / "nowhere")
    with pytest.raises(BadInput, match="no configuration file"):
        examined_texts(tmp_path, {"controller/httpd.conf": "x"})
    with pytest.raises(BadInput, match="openstack endpoint list"):
        examined_texts(tmp_path, {**RIGHT, "endpoints.json": "[1]"})
