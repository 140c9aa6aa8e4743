"""Faults are made, kept in the book, and mended; whatever goes wrong meanwhile."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from labctl.engine.process import CommandFailed, Completed
from labctl.errors import BadInput, CloudCheckFailed, NotFound
from labctl.fault import inject as module
from labctl.fault.change import Change, Command, Request, filled
from labctl.fault.fault import Fault, Where
from labctl.fault.inject import Tools, choose_fault, choose_node, clear, inject
from labctl.fault.record import file, read_injected
from labctl.files import is_private
from labctl.lab.state import LabState
from tests.unit.fault.made_up_scene import NODES, scene

BREAK, MEND = Command(argv=("break",)), Command(argv=("mend",))
MAKE = Request(service="compute", method="POST", path="/servers", body={"server": {}}, makes="server")
DELETE = Request(service="compute", method="DELETE", path="/servers/{server}")


def fault(inject: tuple[Any, ...] = (BREAK,), clear: tuple[Any, ...] = (MEND,), where: Where = Where.LAB) -> Fault:
    return Fault(
        "broken", "It is broken", "Breaks it.", where, "service-dead", lambda _: Change(inject=inject, clear=clear)
    )


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LabState:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    lab = LabState("lab")
    lab.folder.mkdir(parents=True)
    lab.secrets.write_text("password.user.nova: hidden\n")
    return lab


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that were run; `fail SAYING` fails."""
    done: list[str] = []

    def run(argv: tuple[str, ...], **_: object) -> None:
        done.append(" ".join(argv))
        if argv[0] == "fail":
            raise CommandFailed(Completed(argv, 1, "", " ".join(argv[1:]), 0.0))

    monkeypatch.setattr(module, "run", run)
    return done


class Api:
    """One service of a cloud; keeps what it was asked."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.asked: list[tuple[str, str, Any]] = []

    def request(self, path: str, method: str, **sent: Any) -> Any:
        self.asked.append((method, path, sent.get("json")))
        return SimpleNamespace(
            status_code=self.status,
            json=lambda: {"server": {"id": "s1"}},
            headers={"content-type": "application/json"},
            content=b"{}",
            url=path,
            reason="",
            text="",
            request=SimpleNamespace(method=method, url=path),
        )


def tools(state: LabState, api: Api | None = None) -> Tools:
    cloud: Any = SimpleNamespace(compute=api, identity=api)
    return Tools(state, lambda: cloud)


def test_made_and_mended(state: LabState, ran: list[str]) -> None:
    list(inject(tools(state), fault(), scene()))
    assert [str(one) for one in read_injected(state)] == ["broken"]
    assert is_private(file(state))
    assert [str(one) for one in clear(tools(state), None, None, [fault()])] == ["broken"]
    assert ran == ["break", "mend"]
    assert not file(state).exists()


def test_a_fault_of_a_node_is_kept_with_it(state: LabState, ran: list[str]) -> None:
    for node in ("node1", "node2"):
        list(inject(tools(state), fault(where=Where.NODE), scene(node)))
    assert [str(one) for one in read_injected(state)] == ["broken on node1", "broken on node2"]
    assert [one.node for one in clear(tools(state), "broken", "node1", [fault()])] == ["node1"]
    assert [one.node for one in read_injected(state)] == ["node2"]


def test_the_latest_is_mended_first(state: LabState, ran: list[str]) -> None:
    for node in ("node1", "node2"):
        list(inject(tools(state), fault(where=Where.NODE), scene(node)))
    assert [one.node for one in clear(tools(state), None, None, [])] == ["node2", "node1"]


def test_the_same_fault_twice_is_refused(state: LabState, ran: list[str]) -> None:
    list(inject(tools(state), fault(), scene()))
    with pytest.raises(BadInput, match="already"):
        list(inject(tools(state), fault(), scene()))
    assert ran == ["break"]


def test_the_book_is_written_first(state: LabState, ran: list[str]) -> None:
    for _ in inject(tools(state), fault(), scene()):
        assert [str(one) for one in read_injected(state)] == ["broken"]
        assert ran == []


def test_where_a_step_fails_what_was_done_is_mended(state: LabState, ran: list[str]) -> None:
    failing = fault((BREAK, Command(argv=("fail", "no"))))
    with pytest.raises(CommandFailed):
        list(inject(tools(state), failing, scene()))
    assert ran == ["break", "fail no", "mend"]
    assert read_injected(state) == ()


def test_a_fault_that_cannot_be_mended_stays_in_the_book(state: LabState, ran: list[str]) -> None:
    stubborn = fault(clear=(Command(argv=("fail", "no")),))
    list(inject(tools(state), stubborn, scene()))
    with pytest.raises(CommandFailed):
        list(clear(tools(state), None, None, [stubborn]))
    assert [str(one) for one in read_injected(state)] == ["broken"]


@pytest.mark.parametrize(
    "step",
    [
        Command(argv=("fail", "Error: No such container: lab-node9")),
        Command(argv=("fail", "Container", "x", "is not paused"), already="is not paused"),
    ],
)
def test_what_is_mended_already_is_no_failure(state: LabState, ran: list[str], step: Command) -> None:
    list(inject(tools(state), fault(clear=(step,)), scene()))
    assert [str(one) for one in clear(tools(state), None, None, [])] == ["broken"]


def test_what_was_made_is_named_in_later_steps(state: LabState, ran: list[str]) -> None:
    api = Api()
    list(inject(tools(state, api), fault((MAKE, Command(argv=("look", "{server}"))), (DELETE,)), scene()))
    list(clear(tools(state, api), None, None, []))
    assert ran == ["look s1"]
    assert api.asked == [("POST", "/servers", {"server": {}}), ("DELETE", "/servers/s1", None)]


def test_what_was_never_made_is_not_deleted(state: LabState, ran: list[str]) -> None:
    api = Api()
    with pytest.raises(CommandFailed):
        list(inject(tools(state, api), fault((Command(argv=("fail", "no")), MAKE), (DELETE,)), scene()))
    assert api.asked == []


def test_what_the_cloud_has_no_more_is_mended(state: LabState, ran: list[str]) -> None:
    list(inject(tools(state, Api()), fault((MAKE,), (DELETE,)), scene()))
    assert [str(one) for one in clear(tools(state, Api(404)), None, None, [])] == ["broken"]


def test_what_the_cloud_refuses_is_not(state: LabState, ran: list[str]) -> None:
    list(inject(tools(state, Api()), fault((MAKE,), (DELETE,)), scene()))
    with pytest.raises(CloudCheckFailed):
        list(clear(tools(state, Api(503)), None, None, []))


def test_secrets_are_filled_in_at_the_last_moment(state: LabState, ran: list[str]) -> None:
    api = Api()
    step = Request(service="identity", method="PATCH", path="/u", body={"password": "{secret:password.user.nova}"})
    list(inject(tools(state, api), fault((step,), (step,)), scene()))
    assert api.asked == [("PATCH", "/u", {"password": "hidden"})]
    assert "hidden" not in file(state).read_text()


def test_unknown_names() -> None:
    with pytest.raises(NotFound, match="brokn") as error:
        choose_fault([fault()], "brokn")
    assert "broken" in str(error.value.remedy)


@pytest.mark.parametrize(
    ("where", "wanted", "node"),
    [
        (Where.NODE, None, "node1"),
        (Where.NODE, "net", "net"),
        (Where.COMPUTE, "node2", "node2"),
        (Where.NETWORK, None, "net"),
    ],
)
def test_the_node(where: Where, wanted: str | None, node: str) -> None:
    assert choose_node(fault(where=where), wanted, NODES).name == node


@pytest.mark.parametrize(("where", "wanted"), [(Where.LAB, "node1"), (Where.COMPUTE, "net"), (Where.NODE, "node9")])
def test_the_wrong_node_is_refused(where: Where, wanted: str) -> None:
    with pytest.raises(BadInput):
        choose_node(fault(where=where), wanted, NODES)


def test_braces_of_scripts_stay() -> None:
    command = Command(argv=("sh", "-c", "echo ${x} {server}"))
    assert filled(command, {"server": "s1"}) == Command(argv=("sh", "-c", "echo ${x} s1"))
