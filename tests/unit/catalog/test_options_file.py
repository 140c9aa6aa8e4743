"""config-templates/SERVICE/options.yaml: which services there are, and where their options are listed."""

from pathlib import Path

import pytest

from labctl.catalog.configuration import configured_services, load_options_file
from labctl.catalog.folders import CatalogFolders, catalog_folders
from labctl.catalog.image import load_images
from labctl.errors import BadInput

FOLDERS = catalog_folders()


@pytest.mark.parametrize("service", configured_services(FOLDERS))
def test_each_names_an_image_that_runs_and_has_templates(service: str) -> None:
    known = load_options_file(FOLDERS, service)
    assert known.image in load_images(FOLDERS).names
    assert list((FOLDERS.config_templates / service).glob("*.conf.j2"))
    assert len(set(known.namespaces)) == len(known.namespaces)
    assert {key.count(".") for key in known.named_by} <= {1}


def test_another_service_is_bad_input() -> None:
    with pytest.raises(BadInput, match="no service 'rabbitmq' to configure"):
        load_options_file(FOLDERS, "rabbitmq")


def test_unknown_keys_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "config-templates/parrot/options.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("image: parrot\nnamespaces: [parrot]\nnamespace: x\n")
    with pytest.raises(BadInput) as caught:
        load_options_file(CatalogFolders(tmp_path), "parrot")
    assert caught.value.evidence[0].startswith(f"{path}:3: namespace: ")
