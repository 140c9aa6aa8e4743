"""Which lab is meant, and what it is asked to be: flags over the lab file, over what it is already, over defaults."""

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labctl.bringup.prepare import Prepared
from labctl.bringup.up import BroughtUp
from labctl.bringup.watch import Observed
from labctl.cli.lookup import config_services, find_lab, lab_file
from labctl.cli.main import app
from labctl.cli.openstack import own_options
from labctl.cli.up import summary, wanted_lab
from labctl.errors import BadInput, NotFound
from labctl.lab.addresses import AddressPlan
from labctl.lab.authority import authority_certificate
from labctl.lab.file import LabFile, dump_lab_file
from labctl.lab.nodes import node_names
from labctl.lab.secrets import Kind, Secrets, make, write_secrets
from labctl.lab.state import LabState
from labctl.render.lab import AUTHORITY, LabPlan
from labctl.render.source import SourceTree

NO_FLAGS = {"nodes": None, "guest": None, "wait_timeout": None}


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def keep(name: str, **values: object) -> LabState:
    """A lab that was brought up before."""
    state = LabState(name)
    state.rendered.mkdir(parents=True)
    state.lab_file.write_text(dump_lab_file(LabFile.model_validate({"name": name, **values})))
    return state


def write(folder: Path, text: str) -> Path:
    path = folder / "wanted.yaml"
    path.write_text(text)
    return path


def test_without_anything_it_is_the_default_lab() -> None:
    assert wanted_lab(None, None, **NO_FLAGS) == LabFile()


def test_a_lab_that_is_there_stays_as_it_is() -> None:
    keep("lab", nodes=3, wait_timeout=60, address_range="10.20.0.0/22")
    assert wanted_lab(None, None, **NO_FLAGS) == LabFile(
        nodes=3, wait_timeout=60, address_range=IPv4Network("10.20.0.0/22")
    )


def test_flags_count_more_than_what_a_lab_is_already() -> None:
    keep("lab", nodes=3, wait_timeout=60)
    wanted = wanted_lab(None, None, **{**NO_FLAGS, "nodes": 5})
    assert (wanted.nodes, wanted.wait_timeout) == (node_names(5), 60)


def test_the_lab_file_counts_more_than_what_a_lab_is_already(tmp_path: Path) -> None:
    keep("lab", nodes=3)
    assert wanted_lab(None, write(tmp_path, "nodes: 2\n"), **NO_FLAGS).nodes == node_names(2)


def test_a_lab_file_that_does_not_speak_of_sources_leaves_what_dev_has_set(tmp_path: Path) -> None:
    keep("lab", sources={"nova": str(tmp_path)})
    assert wanted_lab(None, write(tmp_path, "nodes: 2\n"), **NO_FLAGS).sources == {"nova": tmp_path}
    assert wanted_lab(None, write(tmp_path, "sources: {}\n"), **NO_FLAGS).sources == {}
    assert wanted_lab("other", write(tmp_path, "nodes: 2\n"), **NO_FLAGS).sources == {}


def test_a_lab_file_that_does_not_speak_of_profiles_leaves_those_that_there_are(tmp_path: Path) -> None:
    keep("lab", **{"with": ["swift"]})
    assert wanted_lab(None, None, **NO_FLAGS).profiles == ("swift",)
    assert wanted_lab(None, write(tmp_path, "nodes: 2\n"), **NO_FLAGS).profiles == ("swift",)
    assert wanted_lab(None, write(tmp_path, "with: []\n"), **NO_FLAGS).profiles == ()


def test_flags_count_more_than_the_lab_file(tmp_path: Path) -> None:
    path = write(tmp_path, "name: filed\nnodes: 2\nwait_timeout: 60\n")
    wanted = wanted_lab("named", path, **{**NO_FLAGS, "nodes": 5})
    assert (wanted.name, wanted.nodes, wanted.wait_timeout) == ("named", node_names(5), 60)


def test_the_path_of_a_guest_is_as_seen_from_where_up_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cirros.img").touch()
    wanted = wanted_lab(None, None, **{**NO_FLAGS, "guest": "cirros.img"})
    state = keep("lab", guest=wanted.guest)
    assert lab_file(state).guest == str(tmp_path / "cirros.img")


def test_a_guest_that_is_not_there_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.img"):
        wanted_lab(None, None, **{**NO_FLAGS, "guest": str(tmp_path / "gone.img")})
    address = "https://example.org/cirros.img"
    assert wanted_lab(None, None, **{**NO_FLAGS, "guest": address}).guest == address


def test_another_lab_does_not_count() -> None:
    keep("lab", nodes=3)
    assert wanted_lab("two", None, **NO_FLAGS) == LabFile(name="two")


@pytest.mark.parametrize("name", ["My Lab", "../x", ""])
def test_a_name_that_no_lab_can_have_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        wanted_lab(name or "-", None, **NO_FLAGS)


def test_a_release_that_is_not_in_the_catalog_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no release '2042\.1'"):
        wanted_lab(None, write(tmp_path, "release: 2042.1\n"), **NO_FLAGS)


def test_configuration_can_be_added_to_the_services_of_openstack() -> None:
    assert {"keystone", "glance", "placement", "nova", "neutron", "cinder"} == set(config_services())


def test_the_only_lab_is_meant_where_none_is_named() -> None:
    state = keep("one", nodes=2)
    assert find_lab(None) == state
    assert lab_file(state).nodes == node_names(2)


def test_with_several_labs_one_must_be_named() -> None:
    keep("one")
    keep("two")
    with pytest.raises(NotFound, match="several labs") as caught:
        find_lab(None)
    assert caught.value.evidence == ("one, two",)
    assert find_lab("two") == LabState("two")


def test_a_name_that_is_nearly_right_is_corrected() -> None:
    keep("production")
    with pytest.raises(NotFound) as caught:
        find_lab("prodution")
    assert caught.value.remedy == "did you mean 'production'?"


def test_openrc_prints_what_a_shell_reads() -> None:
    state = keep("one")
    for option, cloud in ((), "one"), (("--admin",), "one-admin"):
        result = CliRunner().invoke(app, ["openrc", *option])
        assert result.output.splitlines() == [
            f"export OS_CLIENT_CONFIG_FILE={state.clouds_yaml}",
            f"export OS_CLOUD={cloud}",
        ]


def test_openrc_prints_clouds_yaml_as_it_is() -> None:
    keep("one").clouds_yaml.write_text("clouds: {}\n")
    assert CliRunner().invoke(app, ["openrc", "--clouds-yaml"]).output == "clouds: {}\n"


def test_ca_prints_the_certificate_of_the_authority_and_no_key() -> None:
    authority = make(Kind.AUTHORITY)
    for name, tls in (("open", False), ("closed", True)):
        write_secrets(keep(name, tls=tls).secrets, Secrets(values={AUTHORITY: authority}))
        result = CliRunner().invoke(app, ["ca", "--name", name])
        assert result.stdout == authority_certificate(authority)
        assert ("`labctl up --name open --tls`" in result.stderr) is not tls


def test_a_lab_from_before_has_no_authority() -> None:
    keep("one")
    with pytest.raises(NotFound, match="no certificate authority") as caught:
        CliRunner().invoke(app, ["ca"], catch_exceptions=False)
    assert "`labctl up --name one --tls`" in caught.value.remedy


@pytest.mark.parametrize("before", [None, False, True])
def test_tls_stays_as_it_is_unless_a_flag_says_otherwise(before: bool | None) -> None:
    if before is not None:
        keep("lab", tls=before)
    assert wanted_lab(None, None, tls=None).tls is bool(before)
    assert wanted_lab(None, None, tls=True).tls is True
    assert wanted_lab(None, None, tls=False).tls is False


@pytest.mark.parametrize(
    ("arguments", "name", "rest"),
    [
        (["server", "list"], None, ["server", "list"]),
        (["--name", "two", "server", "list"], "two", ["server", "list"]),
        (["server", "create", "--name", "x"], None, ["server", "create", "--name", "x"]),
        ([], None, []),
    ],
)
def test_labctls_own_options_stand_before_those_of_the_client(
    arguments: list[str], name: str | None, rest: list[str]
) -> None:
    assert own_options(arguments) == (name, rest)


def brought_up(name: str, observed: dict[str, Observed]) -> BroughtUp:
    addresses = AddressPlan(IPv4Network("10.20.0.0/22"))
    plan = LabPlan(
        name, f"labctl-{name}", "labx", addresses, addresses.nodes(node_names(2)), "kvm", {}, "1000:0", "1000:a"
    )
    lab = LabFile(name=name, nodes=2)
    return BroughtUp(
        lab,
        Prepared(lab, plan, Secrets(), {}),
        23.4,
        observed,
        {"mariadb": (), "keystone": ("mariadb",)},
        100.0,
        123.4,
        is_new=True,
    )


def test_at_the_end_it_is_said_what_to_do_next() -> None:
    lines = summary(brought_up("lab", {})).splitlines()
    assert lines[0] == "The lab 'lab' is ready after 23.4 s: 2 node(s), Keystone at http://10.20.0.1:5000/v3"
    for command in ("labctl demo ", "labctl openstack server list ", "eval $(labctl openrc) ", "labctl down "):
        assert any(line.startswith(f"  {command}") for line in lines), command


def test_commands_name_a_lab_that_is_not_the_default() -> None:
    lines = summary(brought_up("two", {})).splitlines()[1:]
    assert all("--name two" in line for line in lines)


def test_what_does_not_run_from_its_image_is_said() -> None:
    result = brought_up("lab", {})
    tree = SourceTree("nova", Path("/home/me/nova"), "/site-packages", {})
    plan = replace(result.prepared.plan, sources={"nova-scheduler": tree, "nova-api": tree})
    lines = summary(replace(result, prepared=replace(result.prepared, plan=plan))).splitlines()
    assert lines[1] == "  from /home/me/nova: nova-api, nova-scheduler"


def test_what_a_browser_can_open_is_said() -> None:
    result = replace(brought_up("lab", {}), pages={"horizon": "http://10.20.0.1:8088/"})
    assert "  http://10.20.0.1:8088/              horizon, for your browser" in summary(result).splitlines()


def test_the_timeline_shows_what_was_waited_for() -> None:
    observed = {"mariadb": Observed(100.0, 104.0), "keystone": Observed(104.0, None)}
    text = summary(brought_up("lab", observed))
    for name in ("mariadb", "keystone", "cloud usable"):
        assert name in text


def test_what_has_left_the_lab_is_not_waited_for() -> None:
    observed = {"mariadb": Observed(100.0, 104.0), "tls-proxy": Observed(100.0, None)}
    assert "tls-proxy" not in summary(brought_up("lab", observed))
