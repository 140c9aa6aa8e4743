"""From a lab file to the files of its state folder: address range, plan, drop-ins, secrets."""

import stat
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any, cast

import docker
import pytest

from labctl.bringup import prepare as module
from labctl.bringup.plan import changed_files
from labctl.bringup.prepare import (
    make_plan,
    prepare,
    range_lock,
    read_drop_ins,
    refuse_to_lose_nodes,
    service_uid,
    with_range,
    write_files,
)
from labctl.bringup.seen import read_files
from labctl.bringup.up import runtime_references
from labctl.catalog.folders import catalog_folders
from labctl.errors import BadInput, MachineConflict
from labctl.files import write_file
from labctl.lab.addresses import CANDIDATES
from labctl.lab.file import LabFile, dump_lab_file, load_lab_file
from labctl.lab.nodes import node_names
from labctl.lab.secrets import read_secrets
from labctl.lab.state import LabState, state_root

FOLDERS = catalog_folders()
REFERENCES = runtime_references(FOLDERS, "test")
RANGE = IPv4Network("10.20.0.0/22")
NOBODYS = IPv4Network("10.253.236.0/22")
"""A range that no lab of this machine has."""


class FakeEngine:
    """An engine with some networks: name of the Compose project to range."""

    def __init__(self, networks: dict[str, str]) -> None:
        self._networks = networks

    @property
    def api(self) -> "FakeEngine":
        return self

    def networks(self) -> list[dict[str, Any]]:
        return [
            {"Labels": {"com.docker.compose.project": project}, "IPAM": {"Config": [{"Subnet": subnet}]}}
            for project, subnet in self._networks.items()
        ]


def engine(**networks: str) -> docker.DockerClient:
    return cast(Any, FakeEngine(networks))


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[IPv4Network]:
    """A state folder of its own, and a machine whose routes are the ones in this list."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    routes: list[IPv4Network] = []
    monkeypatch.setattr(module, "routed_networks", lambda: tuple(routes))
    monkeypatch.setattr(module, "held", lambda _: ())
    return routes


def keep(name: str, **values: object) -> LabFile:
    """A lab that was brought up before."""
    lab = LabFile.model_validate({"name": name, **values})
    state = LabState(name)
    state.folder.mkdir(parents=True)
    state.lab_file.write_text(dump_lab_file(lab))
    return lab


def settle(lab: LabFile, client: docker.DockerClient | None = None) -> IPv4Network | None:
    state = LabState(lab.name)
    settled = with_range(client or engine(), state, lab)
    write_file(state.lab_file, dump_lab_file(settled).encode())
    return settled.address_range


def test_a_range_that_somebody_is_getting_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    others = (str(CANDIDATES[0]), "no range", "10.77.4.1/22", "::/0")
    monkeypatch.setattr(module, "held", lambda prefix: others if prefix == "range-" else ())
    assert settle(LabFile(name="one")) == CANDIDATES[1]


def test_a_range_that_is_being_got_cannot_be_got_by_another() -> None:
    lab = LabFile(name="one", address_range=NOBODYS)
    with range_lock(lab), pytest.raises(MachineConflict, match=str(NOBODYS)), range_lock(lab):
        pytest.fail("two have it")
    with range_lock(lab):
        pass


def test_a_new_lab_gets_the_first_range_that_is_free_and_keeps_it(machine: list[IPv4Network]) -> None:
    machine.append(CANDIDATES[0])
    lab = LabFile(name="one")
    assert settle(lab, engine(other=str(CANDIDATES[1]))) == CANDIDATES[2]
    kept = load_lab_file(LabState("one").lab_file, ())
    assert kept == lab.model_copy(update={"address_range": CANDIDATES[2]})
    # Once it runs, its own routes are there; a better range may be free by then.
    machine[:] = [IPv4Network("10.77.8.0/24")]
    assert settle(lab) == CANDIDATES[2]


def test_two_labs_have_two_ranges_though_neither_runs() -> None:
    assert settle(LabFile(name="one")) == CANDIDATES[0]
    assert settle(LabFile(name="two")) == CANDIDATES[1]


def test_a_range_that_another_lab_has_is_refused() -> None:
    keep("other", address_range=str(RANGE))
    with pytest.raises(MachineConflict):
        settle(LabFile(name="one", address_range=RANGE))
    assert not LabState("one").exists


def test_a_lab_may_be_given_another_range_and_not_a_taken_one(machine: list[IPv4Network]) -> None:
    keep("one", address_range=str(RANGE))
    machine += [IPv4Network("10.20.0.0/24"), IPv4Network("10.30.1.0/24")]
    assert settle(LabFile(name="one", address_range=RANGE)) == RANGE
    with pytest.raises(MachineConflict):
        settle(LabFile(name="one", address_range=IPv4Network("10.30.0.0/22")))
    assert settle(LabFile(name="one", address_range=IPv4Network("10.40.0.0/22"))) == IPv4Network("10.40.0.0/22")


def test_the_networks_of_the_lab_itself_are_no_clash() -> None:
    client = engine(**{"labctl-one": "10.20.1.0/24"})
    assert settle(LabFile(name="one", address_range=RANGE), client) == RANGE
    with pytest.raises(MachineConflict):
        settle(LabFile(name="two", address_range=RANGE), engine(**{"labctl-one": "10.20.1.0/24"}))


def test_a_plan_is_the_lab_file_with_everything_worked_out(tmp_path: Path) -> None:
    drop_in = tmp_path / "debug.conf"
    drop_in.write_bytes(b"[DEFAULT]\ndebug = true\n")
    lab = LabFile(name="one", nodes=2, address_range=RANGE, configuration={"nova": (drop_in,)})
    plan = make_plan(LabState("one"), lab, REFERENCES, "kvm")
    assert (plan.name, plan.project, plan.virt_type) == ("one", "labctl-one", "kvm")
    assert [node.name for node in plan.nodes] == ["net", "node1", "node2"]
    assert plan.drop_ins == {"nova": (("debug.conf", b"[DEFAULT]\ndebug = true\n"),)}
    assert plan.user == f"{service_uid()}:0"
    assert not plan.user.startswith("0:"), "no service runs as root"
    assert len(plan.network_prefix) <= 10


def test_bridges_of_labs_whose_names_begin_alike_differ() -> None:
    names = ["lab", "lab-with-a-long-name-1", "lab-with-a-long-name-2"]
    plans = [make_plan(LabState(name), LabFile(name=name, address_range=RANGE), REFERENCES, "kvm") for name in names]
    assert len({plan.network_prefix for plan in plans}) == len(names)


def test_drop_ins_are_files_and_the_configuration_files_of_folders_in_order(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("20-b.conf", "10-a.conf", "notes.txt"):
        (folder / name).write_text(name)
    single = tmp_path / "single.ini"
    single.write_text("single")
    assert read_drop_ins((single, folder)) == (
        ("single.conf", b"single"),  # oslo.config reads *.conf alone
        ("10-a.conf", b"10-a.conf"),
        ("20-b.conf", b"20-b.conf"),
    )
    assert [name for name, _ in read_drop_ins((folder, single))] == ["10-a.conf", "20-b.conf", "single.conf"]


def test_a_drop_in_that_is_gone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"gone\.conf"):
        read_drop_ins((tmp_path / "gone.conf",))


def test_preparing_writes_nothing() -> None:
    state, lab = LabState("one"), LabFile(name="one", address_range=RANGE)
    prepared = prepare(FOLDERS, state, lab, make_plan(state, lab, REFERENCES, "kvm"))
    assert changed_files(prepared.files, read_files(state)) == tuple(sorted(prepared.files))
    assert not state_root().exists()


def test_what_differs_is_written_and_the_secrets_are_kept() -> None:
    state, lab = LabState("one"), LabFile(name="one", address_range=RANGE)
    plan = make_plan(state, lab, REFERENCES, "kvm")
    write_files(state, prepare(FOLDERS, state, lab, plan))
    secrets = read_secrets(state.secrets)
    assert changed_files(prepare(FOLDERS, state, lab, plan).files, read_files(state)) == ()
    more = lab.model_copy(update={"nodes": node_names(2)})
    again = prepare(FOLDERS, state, more, make_plan(state, more, REFERENCES, "kvm"))
    changed = changed_files(again.files, read_files(state))
    assert {"etc/node2/nova/nova.conf", "lab.yaml"} <= set(changed)
    assert "etc/keystone/keystone.conf" not in changed
    assert not any(path.startswith(("etc/node1/", "etc/net/")) for path in changed)
    write_files(state, again)
    assert changed_files(again.files, read_files(state)) == ()
    assert read_secrets(state.secrets) == secrets


def test_a_file_that_others_may_read_is_written_again() -> None:
    state, lab = LabState("one"), LabFile(name="one", address_range=RANGE)
    prepared = prepare(FOLDERS, state, lab, make_plan(state, lab, REFERENCES, "kvm"))
    write_files(state, prepared)
    state.clouds_yaml.chmod(0o644)
    assert changed_files(prepared.files, read_files(state)) == ("clouds.yaml",)


def test_what_is_rendered_is_for_the_services_user_alone() -> None:
    state, lab = LabState("one"), LabFile(name="one", address_range=RANGE)
    write_files(state, prepare(FOLDERS, state, lab, make_plan(state, lab, REFERENCES, "kvm")))
    for path in (state.rendered, *state.rendered.rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
        assert path.stat().st_uid == service_uid()
    assert stat.S_IMODE(state.secrets.stat().st_mode) == 0o600


def test_references_are_those_of_the_images_that_containers_run() -> None:
    assert REFERENCES["nova-compute"] == "labctl/nova-compute:test"
    assert not {"base", "builder", "guest"} & set(REFERENCES)


def test_a_lab_with_drop_ins_can_be_brought_up_again(tmp_path: Path) -> None:
    (tmp_path / "x.conf").touch()
    drop = {"nova": [str(tmp_path / "x.conf")]}
    lab = keep("one", address_range=str(RANGE), configuration=drop)
    assert settle(lab) == RANGE


def test_a_lab_beside_one_with_drop_ins(tmp_path: Path) -> None:
    (tmp_path / "x.conf").touch()
    keep("other", address_range=str(RANGE), configuration={"nova": [str(tmp_path / "x.conf")]})
    assert settle(LabFile(name="one")) == CANDIDATES[0]


def test_up_takes_no_node_away_that_may_hold_servers() -> None:
    lab = keep("lab", nodes=3)
    volumes = {"node1-nova", "node2-nova", "node3-nova", "glance"}
    fewer = lab.model_copy(update={"nodes": ("node1", "node3")})
    with pytest.raises(BadInput, match="has node2, and `up` takes no nodes away") as caught:
        refuse_to_lose_nodes(LabState("lab"), fewer, volumes)
    assert "labctl scale --name lab" in caught.value.remedy


def test_a_node_that_was_never_made_may_go() -> None:
    lab = keep("lab", nodes=2)
    fewer = lab.model_copy(update={"nodes": ("node1",)})
    refuse_to_lose_nodes(LabState("lab"), fewer, {"node1-nova"})
    refuse_to_lose_nodes(LabState("new"), fewer, {"node1-nova", "node2-nova"})
    refuse_to_lose_nodes(LabState("lab"), lab, {"node1-nova", "node2-nova"})
