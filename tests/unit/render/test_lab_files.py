"""A whole rendered lab of two nodes: compose.yaml, every configuration file, and how clients reach it.

Compared with tests/unit/render/golden/lab/. After a change of templates that was meant,
`LABCTL_UPDATE_GOLDEN=1 pytest tests/unit/render` rewrites these; the diff of
the golden files is then part of the review.
"""

import shutil
from pathlib import Path
from typing import Any

import pytest
from fixed_lab import FOLDERS, make_plan, make_secrets, read_yaml, render, secret
from golden_files import assert_golden

from labctl.catalog.folders import CatalogFolders
from labctl.errors import BadInput
from labctl.lab.secrets import Secrets
from labctl.render.lab import AUTHORITY, LabPlan, needed_secrets, render_lab

PLAN = make_plan()
FILES = render(PLAN)
DROP_IN = (("debug.conf", b"[DEFAULT]\ndebug = true\n"),)


def services(files: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    found = read_yaml(files["compose.yaml"])["services"]
    assert isinstance(found, dict)
    return found


def remade(plan: LabPlan) -> set[str]:
    """The services whose containers Compose makes anew where a lab changes from PLAN to another."""
    before, after = services(FILES), services(render(plan))
    assert set(before) == set(after)
    return {name for name in after if after[name] != before[name]}


def test_the_whole_lab() -> None:
    # Private keys of ssh stay out of the repository's files: what reads like one is taken for one.
    keys = {secret(name).encode(): f"the private key {name}".encode() for name in ("ssh.nova", "ssh.host")}
    files = {}
    for path, content in FILES.items():
        for key, text in keys.items():
            content = content.replace(key, text)
        files[path] = content
    assert_golden("lab", files)


def test_two_renders_are_equal() -> None:
    assert list(render(PLAN).items()) == list(FILES.items())


def test_a_lab_is_rendered_with_the_secrets_that_were_said_to_be_needed_and_no_fewer() -> None:
    values = {name: secret(name) for name in needed_secrets(FOLDERS, PLAN)}
    assert render_lab(FOLDERS, PLAN, Secrets(values=values)) == FILES
    del values["password.broker"]
    with pytest.raises(KeyError, match=r"password\.broker"):
        render_lab(FOLDERS, PLAN, Secrets(values=values))


def test_secrets_do_not_depend_on_the_number_of_nodes() -> None:
    assert needed_secrets(FOLDERS, make_plan(nodes=1)) == needed_secrets(FOLDERS, make_plan(nodes=9))


def test_every_secret_is_in_a_configuration_file_and_none_in_the_compose_file() -> None:
    everything = b"".join(content for name, content in FILES.items() if name != "compose.yaml")
    for name, value in make_secrets(PLAN).values.items():
        if name == AUTHORITY:
            assert b"PRIVATE KEY" in value.encode()
            assert value.partition("-----BEGIN CERT")[0].encode() not in everything, "the authority's key is in a file"
            continue
        assert value.strip().encode() in everything, name
        assert value.encode() not in FILES["compose.yaml"], name
    assert b"secret-of-" not in FILES["compose.yaml"]


@pytest.mark.parametrize(
    ("service", "starts"), [("neutron", "neutron"), ("nova", "nova"), ("keystone", "keystone"), ("glance", "glance")]
)
def test_a_drop_in_makes_the_containers_of_its_service_anew_and_no_others(service: str, starts: str) -> None:
    changed = remade(make_plan(drop_ins={service: DROP_IN}))
    mounts = {
        name for name, one in services(FILES).items() if f"/{service}:/etc/{service}:ro" in str(one.get("volumes"))
    }
    assert changed == mounts
    assert any(name.startswith(starts) for name in changed)


def test_a_neutron_drop_in_touches_neutron_services_only() -> None:
    changed = remade(make_plan(drop_ins={"neutron": DROP_IN}))
    agents = {"net-l3-agent", "net-dhcp-agent", "net-metadata-agent"}
    bridges = {f"{node}-linuxbridge-agent" for node in ("net", "node1", "node2")}
    assert changed == {"neutron-server", *agents, *bridges}


def test_only_the_label_of_a_service_says_that_its_configuration_changed() -> None:
    after = services(render(make_plan(drop_ins={"nova": DROP_IN})))
    for name, service in services(FILES).items():
        changed = {key for key in service if service[key] != after[name][key]}
        assert changed <= {"labels"}, name


def test_drop_ins_come_in_the_order_of_the_lab_file_beside_each_copy_of_the_configuration() -> None:
    files = render(make_plan(drop_ins={"nova": (("z.conf", b"1"), ("a.conf", b"2"))}))
    for home in ("etc/nova", "etc/node1/nova", "etc/node2/nova"):
        assert files[f"{home}/nova.conf.d/00-z.conf"] == b"1"
        assert files[f"{home}/nova.conf.d/01-a.conf"] == b"2"
    assert not [name for name in files if name.endswith("z.conf") and "nova" not in name]


@pytest.mark.parametrize("service", ["novaa", "neutron-server", "compose", ""])
def test_a_drop_in_for_an_unknown_service_is_refused(service: str) -> None:
    with pytest.raises(BadInput, match=f"no service '{service}' to configure") as caught:
        render(make_plan(drop_ins={service: DROP_IN}))
    assert "neutron" in caught.value.remedy


def test_only_files_that_a_service_mounts_are_rendered() -> None:
    mounted = {
        volume.split(":")[0].removeprefix("./")
        for service in services(FILES).values()
        for volume in service.get("volumes", [])
        if volume.startswith("./")
    }
    for path in FILES:
        if path.startswith("etc/"):
            assert any(path == mount or path.startswith(f"{mount}/") for mount in mounted), path
    for mount in mounted:
        assert any(path == mount or path.startswith(f"{mount}/") for path in FILES), f"{mount} would be made by root"


def test_clients_find_both_users_of_the_lab() -> None:
    clouds = read_yaml(FILES["clouds.yaml"])["clouds"]
    assert set(clouds) == {"fixed", "fixed-admin"}
    for cloud, user in (("fixed", "demo"), ("fixed-admin", "admin")):
        assert clouds[cloud]["auth"]["username"] == user
        assert clouds[cloud]["auth"]["password"] == f"secret-of-password.user.{user}"
        assert clouds[cloud]["auth"]["auth_url"] == f"http://{PLAN.addresses.gateway}:5000/v3"


@pytest.mark.parametrize("virt_type", ["kvm", "qemu"])
def test_guests_run_as_the_probe_found(virt_type: str) -> None:
    files = render(make_plan(virt_type=virt_type))
    assert f"virt_type = {virt_type}\n" in files["etc/node1/nova/nova.conf"].decode()
    assert b"virt_type" not in files["etc/nova/nova.conf"]


def test_nodes_know_no_database() -> None:
    for path, content in FILES.items():
        if path.startswith(("etc/net/", "etc/node")):
            assert b"mysql" not in content, path
            assert b"password.database" not in content, path


def test_nodes_differ_where_they_must() -> None:
    for name in ("nova/nova.conf", "libvirt/libvirtd.conf", "neutron/linuxbridge_agent.ini", "ssh/sshd_config"):
        assert FILES[f"etc/node1/{name}"] != FILES[f"etc/node2/{name}"], name
    for name in ("ssh/id", "ssh/known_hosts", "ssh/host_key"):
        assert FILES[f"etc/node1/{name}"] == FILES[f"etc/node2/{name}"], name


def altered(root: Path, folder: str, name: str, text: str) -> CatalogFolders:
    """The catalog with one more template."""
    for part in ("compose", "config-templates"):
        shutil.copytree(FOLDERS.root / part, root / part)
    (root / folder / name).parent.mkdir(exist_ok=True)
    (root / folder / name).write_text(text)
    return CatalogFolders(root)


@pytest.mark.parametrize(
    ("folder", "name", "text", "what"),
    [
        ("compose", "8-x.yaml.j2", "services: {x: [\n", "compose/8-x.yaml.j2 does not render to YAML"),
        ("compose", "8-x.yaml.j2", "services: {keystone: {image: nova}}\n", "defines services 'keystone', which"),
        ("compose", "8-x.yaml.j2", "volumes: {glance: }\n", "defines volumes 'glance', which"),
        ("compose", "8-x.yaml.j2", "services: {x: {image: novva}}\n", "'x' runs the image 'novva', which is not in"),
        ("compose", "8-x.yaml.j2", "a: 1\nb: {{ nothing }}\n", "8-x.yaml.j2:2: 'nothing' is undefined"),
        ("config-templates", "nova/x.conf.j2", "\n{{ pasword('x') }}\n", "x.conf.j2:2: 'pasword' is undefined"),
    ],
)
def test_a_wrong_template_is_refused(tmp_path: Path, folder: str, name: str, text: str, what: str) -> None:
    folders = altered(tmp_path, folder, name, text)
    with pytest.raises(BadInput) as caught:
        needed_secrets(folders, PLAN)
    assert what in caught.value.what
