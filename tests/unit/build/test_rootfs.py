"""The base root filesystem: where it comes from, and when it is renewed."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from labctl.build import rootfs as module
from labctl.build.rootfs import MADE, RENEWED_AFTER, Rootfs, ensure_rootfs, make_archive
from labctl.engine.images import ImageSeen
from labctl.errors import BuildFailed
from labctl.events import Event, Note

NOW = datetime(2042, 6, 15, 12, tzinfo=UTC)
DIGEST = "sha256:" + "d" * 64
REFERENCE = "labctl/rootfs:bookworm"
SOURCE = "debian:bookworm-slim"


@dataclass
class Engine:
    """Images by name; a registry that may be there; mmdebstrap that may work."""

    images: dict[str, ImageSeen] = field(default_factory=dict)
    registry: str | None = None
    fetched: list[str] = field(default_factory=list)

    def fetch(self, source: str, reference: str) -> None:
        self.fetched.append(source)
        self.images[reference] = seen(tagged=NOW, digests=(source,))

    def import_(self, archive: Path, reference: str, message: str, labels: Mapping[str, str]) -> None:
        self.fetched.append(archive.name)
        self.images[reference] = replace(seen(tagged=NOW), labels=labels)


class Clock(datetime):
    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return NOW


def seen(tagged: datetime, digests: tuple[str, ...] = ()) -> ImageSeen:
    return ImageSeen(layers=(), labels={}, created=datetime(2041, 1, 1, tzinfo=UTC), tagged=tagged, digests=digests)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Engine:
    engine = Engine()
    monkeypatch.setattr(module, "datetime", Clock)
    monkeypatch.setattr(module, "see_image", engine.images.get)
    monkeypatch.setattr(module, "registry_digest", lambda source: engine.registry if source == SOURCE else None)
    monkeypatch.setattr(module, "fetch_image", engine.fetch)
    monkeypatch.setattr(module, "import_image", engine.import_)
    monkeypatch.setenv("PATH", str(tmp_path))
    return engine


def mmdebstrap(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    program = folder / "bin" / "mmdebstrap"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nfor last; do :; done\n" + script)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("LABCTL_DEBIAN_MIRROR", "")


def archive_of(cache: Path, made: datetime) -> Path:
    archive = cache / "rootfs-bookworm.tar"
    archive.write_text("old")
    os.utime(archive, (made.timestamp(), made.timestamp()))
    return archive


def ensure(cache: Path, choice: str = "auto", *, pull: bool = False) -> tuple[Rootfs, list[str]]:
    events: list[Event] = []
    rootfs = ensure_rootfs(choice, "bookworm", cache, events.append, pull=pull)
    return rootfs, [event.text for event in events if isinstance(event, Note)]


def test_an_image_that_is_named_as_base_is_taken_as_it_is(engine: Engine, tmp_path: Path) -> None:
    assert ensure(tmp_path, "example.org/debian:mine") == (Rootfs("example.org/debian:mine"), [])


def test_one_that_was_fetched_less_than_a_week_ago_is_taken(engine: Engine, tmp_path: Path) -> None:
    fetched = NOW - RENEWED_AFTER + timedelta(seconds=1)
    engine.images[REFERENCE] = seen(fetched)
    assert ensure(tmp_path)[0] == Rootfs(REFERENCE, fetched)
    assert engine.fetched == []


def test_one_of_a_week_ago_is_renewed_by_digest_though_its_maker_made_it_long_before(
    engine: Engine, tmp_path: Path
) -> None:
    engine.images[REFERENCE] = seen(NOW - RENEWED_AFTER)
    engine.registry = DIGEST
    assert ensure(tmp_path)[0] == Rootfs(REFERENCE, NOW, f"debian@{DIGEST}")
    assert ensure(tmp_path)[0].made == NOW
    assert engine.fetched == [f"debian@{DIGEST}"]


def test_pull_renews_a_fresh_one(engine: Engine, tmp_path: Path) -> None:
    engine.images[REFERENCE] = seen(NOW)
    engine.registry = DIGEST
    ensure(tmp_path, pull=True)
    assert engine.fetched == [f"debian@{DIGEST}"]


def test_the_week_counts_from_when_an_archive_was_made_and_not_from_its_import(engine: Engine, tmp_path: Path) -> None:
    made = NOW - timedelta(days=6)
    archive_of(tmp_path, made)
    rootfs, notes = ensure(tmp_path)
    assert rootfs == Rootfs(REFERENCE, made)
    assert engine.images[REFERENCE].labels[MADE] == made.isoformat()
    assert notes == ["No registry answers: the base root filesystem is made with mmdebstrap."]


def test_where_it_cannot_be_renewed_the_old_one_is_taken_and_said(engine: Engine, tmp_path: Path) -> None:
    old = NOW - timedelta(days=30)
    engine.images[REFERENCE] = seen(old)
    rootfs, notes = ensure(tmp_path)
    assert rootfs == Rootfs(REFERENCE, old)
    assert "The base root filesystem of 2042-05-16 is taken: it could not be renewed." in notes[-1]


@pytest.mark.parametrize(("choice", "pull"), [("auto", True), ("registry", False), ("mmdebstrap", True)])
def test_what_was_asked_for_and_fails_is_an_error_though_there_is_an_old_one(
    choice: str, pull: bool, engine: Engine, tmp_path: Path
) -> None:
    engine.images[REFERENCE] = seen(NOW)
    with pytest.raises(BuildFailed):
        ensure(tmp_path, choice, pull=pull)


def test_an_archive_of_less_than_a_week_is_taken_again(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, NOW - timedelta(days=6))
    assert make_archive("bookworm", tmp_path, NOW) == archive
    assert archive.read_text() == "old"


@pytest.mark.parametrize(("age", "now"), [(7, NOW), (0, None)])
def test_an_older_one_is_made_anew_and_one_that_shall_be_renewed(
    age: int, now: datetime | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mmdebstrap(tmp_path, monkeypatch, 'echo new >"$last"\n')
    archive_of(tmp_path, NOW - timedelta(days=age))
    assert make_archive("bookworm", tmp_path, now).read_text() == "new\n"


def test_without_mmdebstrap_it_is_said_what_to_do(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match="mmdebstrap is not installed") as caught:
        ensure(tmp_path)
    assert "--base" in caught.value.remedy


def test_a_root_filesystem_that_failed_is_not_taken_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mmdebstrap(tmp_path, monkeypatch, 'echo half >"$last"; echo "E: no mirror" >&2; exit 25\n')
    with pytest.raises(BuildFailed, match="no root filesystem of bookworm") as caught:
        make_archive("bookworm", tmp_path / "cache", NOW)
    assert "E: no mirror" in caught.value.evidence
    assert list((tmp_path / "cache").iterdir()) == []
