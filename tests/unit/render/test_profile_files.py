"""A lab with a profile: what it has besides, kept in golden/profile/; and that a lab without it has nothing of it."""

import shutil
from pathlib import Path

import pytest
import yaml
from fixed_lab import FOLDERS, make_plan, read_yaml
from fixed_lab import render as render_plain
from golden_files import assert_golden
from made_up_profiles import make_catalog, references, render

from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import load_images
from labctl.errors import BadInput
from labctl.render.lab import host_ports, needed_secrets

PLAIN = make_plan()
PARROT = make_plan(profiles=("parrot",), references=references())


@pytest.fixture
def catalog(tmp_path: Path) -> CatalogFolders:
    return make_catalog(tmp_path)


def test_what_a_lab_has_besides_with_a_profile(catalog: CatalogFolders) -> None:
    before, after = render_plain(PLAIN), render(catalog, PARROT)
    besides = {name: content for name, content in after.items() if before.get(name) != content}
    old, new = read_yaml(before["compose.yaml"]), read_yaml(besides.pop("compose.yaml"))
    assert set(before) <= set(after)
    compose = {
        part: {name: value for name, value in new[part].items() if old[part].get(name) != value}
        for part in ("services", "networks", "volumes")
    }
    besides["compose-besides.yaml"] = yaml.safe_dump(compose, sort_keys=False).encode()
    assert_golden("profile", besides)


def test_a_lab_without_it_is_what_it_is_where_the_catalog_does_not_have_it(catalog: CatalogFolders) -> None:
    assert render(catalog, PLAIN) == render_plain(PLAIN)
    assert needed_secrets(catalog, PLAIN) == needed_secrets(FOLDERS, PLAIN)


def test_what_it_needs_comes_with_it(catalog: CatalogFolders) -> None:
    found = read_yaml(render(catalog, PARROT)["compose.yaml"])
    assert {"perch", "parrot"} <= set(found["services"])
    alone = read_yaml(render(catalog, make_plan(profiles=("perch",), references=references()))["compose.yaml"])
    assert "perch" in alone["services"]
    assert "parrot" not in alone["services"]


def test_its_ports_are_known_before_anything_is_written(catalog: CatalogFolders) -> None:
    assert host_ports(catalog, PARROT) == {**host_ports(FOLDERS, PLAIN), 4242: "parrot"}


def test_a_profile_may_be_a_name_for_others(catalog: CatalogFolders) -> None:
    (catalog.profiles / "birds.yaml").write_text("description: All of them\nneeds: [parrot]\n")
    birds = make_plan(profiles=("birds",), references=references())
    assert set(render(catalog, birds)) == set(render(catalog, PARROT))


def test_templates_know_what_the_lab_file_says(catalog: CatalogFolders) -> None:
    (catalog.config_templates / "parrot" / "said").with_suffix(".j2").write_text(
        "{{ 'perch' in profiles }} {{ glance_store }} {{ image_backend }}"
    )
    plan = make_plan(profiles=("parrot",), references=references(), glance_store="swift", image_backend="rbd")
    assert render(catalog, plan)["etc/parrot/said"] == b"True swift rbd"


def test_a_drop_in_for_a_service_that_the_lab_has_not_is_refused(catalog: CatalogFolders) -> None:
    drop_ins = {"parrot": (("loud.conf", b"[DEFAULT]\n"),)}
    assert "etc/parrot/parrot.conf.d/00-loud.conf" in render(
        catalog, make_plan(profiles=("parrot",), references=references(), drop_ins=drop_ins)
    )
    with pytest.raises(BadInput, match="no service 'parrot' to configure"):
        render(catalog, make_plan(drop_ins=drop_ins))


def test_the_worked_example_is_a_profile(tmp_path: Path) -> None:
    for folder in ("images", "compose", "config-templates"):
        shutil.copytree(FOLDERS.root / folder, tmp_path / folder)
    shutil.copytree(FOLDERS.root / "examples" / "heat", tmp_path, dirs_exist_ok=True)
    folders = CatalogFolders(tmp_path)
    images = load_images(folders)
    assert {image.name for image in images.containers(["heat"])} - {image.name for image in images.containers()} == {
        "heat"
    }
    files = render(folders, make_plan(profiles=("heat",), references={**references(), "heat": "labctl/heat:test"}))
    assert {"heat-schema", "heat-api", "heat-engine"} <= set(read_yaml(files["compose.yaml"])["services"])
    assert b"secret-of-password.heat.encryption"[:32] in files["etc/heat/heat.conf"]
    assert b"CREATE DATABASE IF NOT EXISTS heat;" in files["etc/mariadb/init.sql"]
