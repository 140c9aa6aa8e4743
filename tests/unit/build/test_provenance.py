"""Labels that say where an image comes from, on a small git repository made here."""

import os
import re
from pathlib import Path

import pytest

from labctl import __version__
from labctl.build.provenance import provenance
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import ImageGraph, load_images
from labctl.engine.process import run

RELEASE = "2042.1"
SOURCE, REVISION, CREATED = (f"org.opencontainers.image.{name}" for name in ("source", "revision", "created"))


class Checkout:
    """A git repository with a catalog of two images, of which one needs the other, and a third one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folders = CatalogFolders(root)
        self.git("init", "--quiet", "--initial-branch", "main")
        for name, parent in (("base", "rootfs"), ("nova", "base"), ("cache", "rootfs")):
            self.write(f"images/{name}/image.yaml", f"description: {name}\nfrom: {parent}\n")
            self.write(f"images/{name}/Dockerfile.j2", f"FROM x AS {name}\n")
            self.write(f"images/locks/{RELEASE}/{name}/packages.txt", "")
        self.write("images/macros.j2", "")
        self.commit()

    def git(self, *arguments: str) -> str:
        identity = ("-c", "user.name=Tester", "-c", "user.email=tester@example.org", "-c", "commit.gpgsign=false")
        return run(["git", "-C", str(self.root), *identity, *arguments]).stdout.strip()

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "x")
        return self.git("rev-parse", "HEAD")

    @property
    def graph(self) -> ImageGraph:
        return load_images(self.folders)

    def labels(self) -> dict[str, dict[str, str]]:
        return {name: dict(found) for name, found in provenance(self.folders, self.graph, RELEASE).items()}

    def revisions(self) -> dict[str, str]:
        return {name: found[REVISION] for name, found in self.labels().items()}


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    return Checkout(tmp_path)


def test_every_image_has_revision_and_time(checkout: Checkout) -> None:
    head = checkout.git("rev-parse", "HEAD")
    for labels in checkout.labels().values():
        assert labels[REVISION] == head
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([+-]\d\d:\d\d|Z)", labels[CREATED])


def test_a_commit_elsewhere_changes_no_label(checkout: Checkout) -> None:
    before = checkout.labels()
    checkout.write("README.md", "x")
    checkout.write("images/locks/2041.1/nova/packages.txt", "x")
    checkout.commit()
    assert checkout.labels() == before


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("images/nova/files/run", {"nova"}),
        ("images/base/Dockerfile.j2", {"base", "nova"}),
        (f"images/locks/{RELEASE}/base/packages.txt", {"base", "nova"}),
        (f"images/locks/{RELEASE}/nova/packages.txt", {"nova"}),
        ("images/macros.j2", {"base", "nova", "cache"}),
    ],
)
def test_the_revision_is_the_last_one_that_touched_what_an_image_is_made_of(
    checkout: Checkout, name: str, changed: set[str]
) -> None:
    before = checkout.revisions()
    checkout.write(name, "# changed\n")
    head = checkout.commit()
    after = checkout.revisions()
    assert {image for image in after if after[image] == head} == changed
    assert {image for image in after if after[image] == before[image]} == set(after) - changed


def test_what_is_not_committed_is_told(checkout: Checkout) -> None:
    before = checkout.revisions()
    checkout.write("images/cache/new-file", "x")
    checkout.write("images/nova/another", "x")
    after = checkout.revisions()
    assert after == {**before, "cache": before["cache"] + "-dirty", "nova": before["nova"] + "-dirty"}


def test_the_source_is_where_the_checkout_was_cloned_from(checkout: Checkout) -> None:
    assert {labels[SOURCE] for labels in checkout.labels().values()} == {f"labctl {__version__}"}
    checkout.git("remote", "add", "origin", "https://git.example.org/team/labctl.git")
    assert {labels[SOURCE] for labels in checkout.labels().values()} == {"https://git.example.org/team/labctl.git"}


def test_outside_of_a_checkout_the_source_is_the_version_and_the_time_that_of_the_files(checkout: Checkout) -> None:
    run(["rm", "-rf", str(checkout.root / ".git")])
    for path in (checkout.root / "images/nova").rglob("*"):
        os.utime(path, (0, 0))
    assert checkout.labels()["nova"] == {SOURCE: f"labctl {__version__}", CREATED: "1970-01-01T00:00:00+00:00"}


def test_before_the_first_commit_there_is_no_revision(checkout: Checkout) -> None:
    run(["rm", "-rf", str(checkout.root / ".git")])
    checkout.git("init", "--quiet")
    assert set(checkout.labels()["nova"]) == {SOURCE}


def test_a_modified_file_is_marked(checkout: Checkout) -> None:
    before = checkout.revisions()
    checkout.write("images/nova/Dockerfile.j2", "x")
    after = checkout.revisions()
    assert after == {**before, "nova": before["nova"] + "-dirty"}


def test_a_name_that_starts_like_another_is_another(checkout: Checkout) -> None:
    checkout.write("images/nova-compute/image.yaml", "description: x\nfrom: nova\n")
    checkout.write("images/a", "x")
    checkout.commit()
    before = checkout.revisions()
    checkout.write("images/nova-compute/new", "x")
    checkout.write("images/a", "y")
    after = checkout.revisions()
    assert after == {**before, "nova-compute": before["nova-compute"] + "-dirty"}


def test_credentials_of_a_remote_are_no_label(checkout: Checkout) -> None:
    checkout.git("remote", "add", "origin", "https://me:tok@git.example.org/x.git")
    assert "tok" not in str(checkout.labels())
