"""Drop-ins of a lab file are checked before anything is touched; without any, nothing is asked."""

from pathlib import Path

import pytest

from labctl.bringup import drop_ins
from labctl.bringup.drop_ins import check_lab, refuse_bad_drop_ins
from labctl.catalog.folders import CatalogFolders, catalog_folders
from labctl.configuration.options import Registry
from labctl.errors import BadInput
from labctl.events import Event, Note
from labctl.lab.file import LabFile
from tests.unit.configuration.recorded_options import recorded


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The services whose options were asked for; the answers are recorded ones."""
    services: list[str] = []

    def answer(_: CatalogFolders, release: str, service: str) -> Registry:
        services.append(f"{service} {release}")
        return recorded(service)

    monkeypatch.setattr(drop_ins, "service_options", answer)
    return services


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_without_drop_ins_nothing_is_asked(tmp_path: Path, asked: list[str]) -> None:
    (tmp_path / "empty.d").mkdir()
    for configuration in ({}, {"nova": ()}, {"nova": (tmp_path / "empty.d",)}):
        checked = check_lab(catalog_folders(), LabFile(configuration=configuration))
        assert (checked.findings, checked.files) == ((), 0)
    assert asked == []


def test_every_mistake_of_every_file_is_named(tmp_path: Path, asked: list[str]) -> None:
    alone = write(tmp_path, "alone.conf", "[DEFAULT]\ndebugg = 1\n")
    later = write(tmp_path, "some.d/b.conf", "[libvirt]\nvirt_type = kvmm\n")
    first = write(tmp_path, "some.d/a.conf", "[DEFAULT]\ndebug = 2\n")
    lab = LabFile(configuration={"nova": (alone, later.parent)})
    with pytest.raises(BadInput) as caught:
        refuse_bad_drop_ins(catalog_folders(), lab, lambda event: None)
    starts = [line.split(": ")[0] for line in caught.value.evidence]
    assert starts == [f"{alone}:2:1", f"{first}:2:9", f"{later}:2:13"]
    assert asked == ["nova 2024.2"]


def test_warnings_are_said_and_refuse_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "old.conf", "[DEFAULT]\nquota_instances = 5\n")
    said: list[Event] = []
    refuse_bad_drop_ins(catalog_folders(), LabFile(configuration={"nova": (path,)}), said.append)
    (note,) = said
    assert isinstance(note, Note)
    assert note.text.startswith(f"{path}:2:1: warning: ")


def test_the_services_own_files_count_for_what_is_right(tmp_path: Path) -> None:
    path = write(tmp_path, "auth.conf", "[keystone_authtoken]\napplication_credential_id = x\n")
    (found,) = check_lab(catalog_folders(), LabFile(configuration={"nova": (path,)})).findings
    assert "with this auth_type" in found.text


def test_a_drop_in_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.conf cannot be read"):
        check_lab(catalog_folders(), LabFile(configuration={"nova": (tmp_path / "gone.conf",)}))
