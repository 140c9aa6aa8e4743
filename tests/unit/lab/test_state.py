"""The state folder: where everything is, and which labs there are."""

from pathlib import Path

import pytest

from labctl.lab.state import LabState, cache_root, known_labs, state_root


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_folders_are_where_the_environment_says(tmp_path: Path) -> None:
    assert state_root() == tmp_path / "state" / "labctl"
    assert cache_root() == tmp_path / "cache" / "labctl"
    state = LabState("two")
    assert state.project == "labctl-two"
    assert state.folder == tmp_path / "state" / "labctl" / "labs" / "two"
    for path in (state.lab_file, state.secrets, state.compose_file, state.clouds_yaml):
        assert path.is_relative_to(state.folder)
    assert state.compose_file.parent == state.clouds_yaml.parent == state.rendered
    assert state.rendered not in state.secrets.parents, "what is rendered is rewritten as a whole"


def test_a_lab_is_there_once_it_has_a_lab_file() -> None:
    assert known_labs() == ()
    for name in ("b", "a"):
        LabState(name).folder.mkdir(parents=True)
        assert not LabState(name).exists
        LabState(name).lab_file.write_text("")
        assert LabState(name).exists
    (state_root() / "labs" / "half").mkdir()
    assert known_labs() == (LabState("a"), LabState("b"))
