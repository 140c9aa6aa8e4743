"""Glance imports from `labctl verify`'s own address for its own run, and the lab is closed again however that ends."""

from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any, cast

import pytest

from labctl.bringup.prepare import with_drop_ins
from labctl.catalog.folders import catalog_folders
from labctl.errors import BadInput, BringUpFailed
from labctl.events import Event, Note
from labctl.lab.file import LabFile
from labctl.verify import imports
from labctl.verify.imports import NAME, drop_in, imports_from, needs_imports
from labctl.verify.suite import TempestTest, parse_test_list
from tests.unit.render.fixed_lab import make_plan, render

ADDRESS = IPv4Address("10.77.0.1")
OPEN = {"glance": ((NAME, drop_in(ADDRESS, 8900)),)}
ANY = cast(Any, None)


class Lab:
    """Notes what was done to a lab."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, steps: tuple[object, ...] = (), fails: bool = False) -> None:
        self.done: list[object] = []
        self.fails = fails
        monkeypatch.setattr(imports, "propose", lambda *_, **__: SimpleNamespace(plan=SimpleNamespace(steps=steps)))
        monkeypatch.setattr(imports, "bring_up", self.bring_up)

    def bring_up(self, *_: object, passing: object = None) -> None:
        self.done.append(passing)
        if self.fails and passing is None:
            raise BringUpFailed("no")


def test_it_is_open_for_the_body_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(monkeypatch)
    with imports_from(ANY, catalog_folders(), LabFile(), ADDRESS, 8900, lambda _: None):
        assert lab.done == [OPEN]
    assert lab.done == [OPEN, None]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_it_is_closed_where_the_body_fails(monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    lab = Lab(monkeypatch)
    with pytest.raises(error), imports_from(ANY, catalog_folders(), LabFile(), ADDRESS, 8900, lambda _: None):
        raise error
    assert lab.done == [OPEN, None]


def test_where_it_cannot_be_closed_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    Lab(monkeypatch, fails=True)
    events: list[Event] = []
    with imports_from(ANY, catalog_folders(), LabFile(), ADDRESS, 8900, events.append):
        pass
    (note,) = [one for one in events if isinstance(one, Note)]
    assert note.level == "warning"
    assert "may still import from 10.77.0.1:8900" in note.text


def test_a_lab_that_up_would_change_is_not_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab(monkeypatch, steps=(SimpleNamespace(what="recreate nova-api", why="its image is another"),))
    with (
        pytest.raises(BadInput) as caught,
        imports_from(ANY, catalog_folders(), LabFile(), ADDRESS, 8900, lambda _: None),
    ):
        pass
    assert caught.value.evidence == ("recreate nova-api: its image is another",)
    assert lab.done == []


def test_only_tests_that_import_need_it() -> None:
    tests: tuple[TempestTest, ...] = parse_test_list(
        "tempest.api.image.v2.test_images.ImportImagesTest.test_image_web_download_import[id-f6feb7a4]\n"
        "tempest.api.image.v2.test_images.ImportImagesTest.test_image_glance_direct_import[id-f6feb7a5]\n"
    )
    assert needs_imports(tests)
    assert not needs_imports([one for one in tests if "direct" in one.id])


def test_glance_takes_it_and_reads_it_last() -> None:
    plan = make_plan(nodes=1, drop_ins={"glance": (("own.conf", b"[DEFAULT]\n"),)})
    files = sorted(name for name in render(with_drop_ins(plan, OPEN)) if name.startswith("etc/glance/glance.conf.d/"))
    assert len(files) == 2
    assert files[-1].endswith(NAME)


def test_a_lab_by_itself_is_closed() -> None:
    content = render(make_plan(nodes=1))["etc/glance/glance-api.conf"].decode()
    assert "allowed_ports" not in content
    (line,) = [line for line in content.splitlines() if line.startswith("disallowed_hosts")]
    hosts = line.partition("[")[2].rstrip("]").split(",")
    assert {"127.0.0.1", "::1", "localhost", "169.254.169.254"} <= set(hosts)
