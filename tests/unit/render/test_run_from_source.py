"""Services that run from a source tree: what they mount, and that nothing else changes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fixed_lab import FOLDERS, make_plan, read_yaml, render

from labctl.render.lab import from_source
from labctl.render.source import SourceTree

SITE = "/opt/openstack/lib/python3.11/site-packages"
TREE = SourceTree(
    "nova",
    Path("/home/me/nova"),
    SITE,
    {"nova-1.0.dist-info/METADATA": "Name: nova\n", "nova-1.0.dist-info/entry_points.txt": "[console_scripts]\n"},
    {"/opt/openstack/bin/nova-new": "#!/opt/openstack/bin/python\n"},
)
SERVICES = ("nova-api", "node2-nova-compute")
BEFORE = render(make_plan())
AFTER = render(make_plan(sources=dict.fromkeys(SERVICES, TREE)))


def services(files: dict[str, bytes]) -> dict[str, Any]:
    found = read_yaml(files["compose.yaml"])["services"]
    assert isinstance(found, dict)
    return found


def test_a_tree_changes_its_services_and_no_others() -> None:
    before, after = services(BEFORE), services(AFTER)
    assert {name for name in after if after[name] != before[name]} == set(SERVICES)
    for name in SERVICES:
        assert {key for key in after[name] if after[name][key] != before[name].get(key)} == {"volumes", "labels"}
        assert after[name]["labels"]["org.labctl.source"] == "/home/me/nova"


def test_the_tree_is_mounted_for_reading_and_never_made() -> None:
    for name in SERVICES:
        mounts = [each for each in services(AFTER)[name]["volumes"] if isinstance(each, dict)]
        assert mounts == [
            {
                "type": "bind",
                "source": "/home/me/nova",
                "target": "/src/nova",
                "read_only": True,
                "bind": {"create_host_path": False},
            }
        ]


def test_metadata_and_new_scripts_are_mounted_from_rendered_files() -> None:
    mounts = [each for each in services(AFTER)["nova-api"]["volumes"] if str(each).startswith("./sources/")]
    targets = {each.split(":")[1]: each.split(":")[0].removeprefix("./") for each in mounts}
    assert set(targets) == {"/opt/source", f"{SITE}/source.pth", "/opt/openstack/bin/nova-new"}
    assert all(each.endswith(":ro") for each in mounts)
    assert AFTER[targets["/opt/openstack/bin/nova-new"]].startswith(b"#!")
    assert AFTER[f"{targets['/opt/source']}/nova-1.0.dist-info/METADATA"] == b"Name: nova\n"


def test_another_entry_point_makes_the_services_anew() -> None:
    changed = SourceTree("nova", TREE.path, SITE, {**TREE.metadata, "nova-1.0.dist-info/entry_points.txt": "[x]\n"})
    after = services(render(make_plan(sources=dict.fromkeys(SERVICES, changed))))
    for name in SERVICES:
        assert (
            after[name]["labels"]["org.labctl.definition"] != services(AFTER)[name]["labels"]["org.labctl.definition"]
        )


def test_two_trees_of_one_project_stand_side_by_side() -> None:
    other = SourceTree("nova", Path("/home/me/other"), SITE, TREE.metadata)
    files = render(make_plan(sources={"nova-api": TREE, "nova-scheduler": other}))
    assert len({name.split("/")[1] for name in files if name.startswith("sources/")}) == 2
    sources = {name: one["labels"].get("org.labctl.source") for name, one in services(files).items()}
    assert (sources["nova-api"], sources["nova-scheduler"]) == ("/home/me/nova", "/home/me/other")


def test_a_dollar_in_a_path_is_no_variable() -> None:
    tree = SourceTree("nova", Path("/home/$me/nova"), SITE, {})
    found = services(render(make_plan(sources={"nova-api": tree})))["nova-api"]
    assert [each["source"] for each in found["volumes"] if isinstance(each, dict)] == ["/home/$$me/nova"]
    assert found["labels"]["org.labctl.source"] == "/home/$$me/nova"


def test_the_path_file_puts_the_tree_before_the_images_packages_and_behind_the_standard_library() -> None:
    line = TREE.files()[f"{TREE.folder}/source.pth"].decode()
    assert line.startswith("import ")
    assert line.count("\n") == 1
    # As the site module runs it: in a function, with the folder of packages at its place.
    program = f"import sys; sys.path[:] = ['', '/usr/lib/python3', {SITE!r}]; exec({line!r}); print(*sys.path, sep='|')"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == f"|/usr/lib/python3|/opt/source|/src/nova|{SITE}\n"


def test_the_catalog_says_what_can_run_from_source() -> None:
    found = from_source(FOLDERS, make_plan())
    projects = {name: one.project for name, one in found.items()}
    assert projects["keystone"] == "keystone"
    assert projects["node2-nova-compute"] == "nova"
    assert projects["net-l3-agent"] == "neutron"
    assert set(projects.values()) == {"keystone", "glance", "placement", "neutron", "nova"}
    # No project of OpenStack runs in these.
    assert not {"identity", "mariadb", "node1", "node1-libvirt", "node1-sshd"} & set(projects)


@pytest.mark.parametrize("files", [BEFORE, AFTER])
def test_what_is_labctls_own_does_not_reach_compose(files: dict[str, bytes]) -> None:
    for name, service in services(files).items():
        own = {key for key in service if key.startswith("x-")}
        # What `up` and `reset` read there.
        assert own <= {"x-migrations", "x-outlives-database", "x-forget"}, name
