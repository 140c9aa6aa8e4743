"""`labctl doctor`: what it takes, what it prints, and how it ends."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from labctl.bringup import options
from labctl.cli.main import app
from labctl.engine import client
from labctl.errors import FINDINGS, BadInput, EngineUnavailable
from tests.unit.doctor.recorded_services import WALKTHROUGHS, recorded


@pytest.fixture(autouse=True)
def recorded_options(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "service_options", lambda folders, release, service: recorded(service))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments], catch_exceptions=False)


def test_mistakes_in_configuration_files_have_an_exit_code_of_their_own() -> None:
    result = run("--config", str(WALKTHROUGHS / "vxlan"))
    assert result.exit_code == FINDINGS
    assert "os-compute/neutron.conf:12:13: auth_type: 'secret' is not allowed" in result.output


def test_findings_as_json() -> None:
    result = run("--config", str(WALKTHROUGHS / "vxlan"), "--json")
    assert result.exit_code == FINDINGS
    places = [finding["place"] for finding in json.loads(result.output)["findings"] if finding["check"] == "auth-type"]
    assert places == [{"path": "os-compute/neutron.conf", "line": 12, "column": 13}]


def test_warnings_alone_end_well(tmp_path: Path) -> None:
    (tmp_path / "nova.conf").write_text("[api]\nauth_strategy = keystone\n")
    result = run("--config", str(tmp_path))
    assert result.exit_code == 0
    assert "warning" in result.output


@pytest.fixture
def no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with no lab, whose engine does not answer."""

    def refuse() -> None:
        raise EngineUnavailable("The Docker engine does not run", remedy="labctl engine start")

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr(client, "engine", refuse)


@pytest.mark.usefixtures("no_engine")
def test_a_machine_without_an_engine_is_examined_all_the_same() -> None:
    result = run("--nodes", "2", "--json")
    shown = json.loads(result.output)
    assert result.exit_code == FINDINGS
    assert "engine" in {finding["check"] for finding in shown["findings"]}
    assert shown["looked_at"] == ["the machine for 'lab' (2 node(s))"]
    assert shown["left_out"] == ["all that needs the engine"]
    assert "memory" in shown["checks"]


@pytest.mark.usefixtures("no_engine")
def test_a_wrong_number_of_nodes_is_bad_input() -> None:
    with pytest.raises(BadInput, match="65 nodes"):
        run("--nodes", "65")
