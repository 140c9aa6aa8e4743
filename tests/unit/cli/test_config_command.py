"""`labctl config`: what it takes, what it prints, and how it ends."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labctl.bringup import drop_ins, options
from labctl.cli.main import app
from labctl.errors import BadInput, NotFound
from labctl.files import write_folder
from labctl.lab.file import LabFile, dump_lab_file
from labctl.lab.state import LabState
from tests.unit.configuration.recorded_options import recorded
from tests.unit.render.fixed_lab import make_plan, render

DROP_IN = b"[libvirt]\nvirt_type = kvm\n"


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabState:
    """A lab that was brought up before, with one drop-in, and recorded options instead of an engine."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for module in (options, drop_ins):
        monkeypatch.setattr(module, "service_options", lambda folders, release, service: recorded(service))
    own = tmp_path / "own.conf"
    own.write_bytes(DROP_IN)
    state = LabState("fixed")
    write_folder(state.rendered, render(make_plan(drop_ins={"nova": (("own.conf", DROP_IN),)})))
    state.lab_file.write_text(
        dump_lab_file(LabFile.model_validate({"name": "fixed", "configuration": {"nova": [own]}}))
    )
    state.secrets.write_text("password.broker: secret-of-password.broker\n")
    return state


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["config", *arguments], catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_show_prints_what_counts_and_where_it_is() -> None:
    lines = run("show", "nova@node1", "--origin").splitlines()
    place = lines.index("virt_type = kvm")
    assert lines[place - 2] == "# etc/node1/nova/nova.conf.d/00-own.conf:2"
    assert lines[place - 1].startswith("# etc/node1/nova/nova.conf:")
    assert lines[place - 1].endswith(": overridden: qemu")
    assert "transport_url = ****" in lines


def test_show_keeps_secrets_unless_asked() -> None:
    secret = "secret-of-password.broker"
    assert secret not in run("show", "nova")
    assert secret not in run("show", "nova", "--json", "--all")
    assert secret in run("show", "nova", "--show-secrets")


def test_show_as_json() -> None:
    found = {(one["section"], one["name"]): one for one in json.loads(run("show", "nova-compute@node1", "--json"))}
    assert found["libvirt", "virt_type"]["values"] == ["kvm"]


def test_show_of_another_service_is_refused() -> None:
    with pytest.raises(NotFound, match="'mariadb'"):
        run("show", "mariadb")


def test_check_of_a_lab() -> None:
    assert run("check", "--name", "fixed") == "1 file(s) checked against nova 30.3.0: no mistake.\n"
    assert run("check") == run("check", "--name", "fixed")


def test_check_of_a_lab_file(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text("configuration: {nova: [bad.conf]}\n")
    (tmp_path / "bad.conf").write_text("[DEFAULT]\nvirt_type = kvm\n")
    with pytest.raises(BadInput) as caught:
        run("check", "--file", str(file))
    assert caught.value.evidence[0].startswith(f"{tmp_path}/bad.conf:2:1: ")
    file.write_text("nodes: 1\n")
    assert run("check", "--file", str(file)) == "0 file(s) checked against nothing: no mistake.\n"


def test_check_of_files_says_warnings_and_ends_well(tmp_path: Path) -> None:
    path = tmp_path / "any.conf"
    path.write_text("[DEFAULT]\nquota_instances = 5\n")
    output = run("check", "--service", "nova", str(path))
    assert f"{path}:2:1: warning: " in output
    assert output.endswith("no mistake.\n")


@pytest.mark.parametrize(
    "arguments",
    [["x.conf"], ["--service", "nova"], ["x.conf", "--service", "nova", "--name", "fixed"]],
)
def test_files_and_their_service_belong_together(arguments: list[str]) -> None:
    with pytest.raises(BadInput):
        run("check", *arguments)
