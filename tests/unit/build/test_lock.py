"""Locks: names, overrides, what uv says, and which image gets which package."""

from pathlib import Path

import pytest

from labctl.build import lock as module
from labctl.build.lock import (
    apply_overrides,
    lock_images,
    pins_of,
    read_constraints,
    split,
    write_lock,
    write_wheels,
)
from labctl.build.pins import Lock, Pin, canonical, parse_lock
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import Image, ImageFile, ImageGraph
from labctl.catalog.release import Release
from labctl.errors import BadInput, BuildFailed

COMPILED = """\
alembic==1.13.2 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
# a remark
oslo.config==9.6.0 ; python_version < '3.12' \\
    --hash=sha256:cc
Zope_Interface==7.0.3
"""

RELEASE = Release(
    name="2042.1",
    codename="aardvark",
    debian="trixie",
    python="3.13",
    constraints="/constraints.txt",
    source_builds=("ovs", "netifaces"),
)


def lock(**versions: str) -> Lock:
    return {name: Pin(name, version, f"{name}=={version} --hash=sha256:{name}") for name, version in versions.items()}


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("Zope_Interface==1", "zope-interface"),
        ("oslo.messaging>=14,<15", "oslo-messaging"),
        ("a-._b", "a-b"),
        ("setuptools<81", "setuptools"),
        ("PyMySQL", "pymysql"),
        ("uvicorn[standard]==1", "uvicorn"),
        ("# remark", ""),
        ("", ""),
    ],
)
def test_names_are_compared_as_pep_503_says(requirement: str, name: str) -> None:
    assert canonical(requirement) == name


def test_an_override_replaces_the_constraint_however_it_is_written() -> None:
    limits = apply_overrides(
        [
            "Oslo_Messaging===14.9.0",
            "oslo.messaging-extra===1",
            "",
            "setuptools===74.1.2;python_version>='3.8'",
            "x===1",
        ],
        ["oslo.messaging==14.7.3", "setuptools<81"],
    )
    assert limits == ("oslo.messaging-extra===1", "x===1", "oslo.messaging==14.7.3", "setuptools<81")


def test_without_overrides_constraints_stay_as_they_are() -> None:
    assert apply_overrides(["a===1", "b===2"], []) == ("a===1", "b===2")


def test_what_uv_says_is_read_with_hashes() -> None:
    found = parse_lock(COMPILED)
    assert {name: pin.version for name, pin in found.items()} == {
        "alembic": "1.13.2",
        "oslo-config": "9.6.0",
        "zope-interface": "7.0.3",
    }
    assert found["alembic"].text == "alembic==1.13.2 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb"
    assert found["oslo-config"].text.endswith("--hash=sha256:cc")
    assert found["oslo-config"].plain == "oslo-config==9.6.0"


def test_nothing_resolved_is_an_empty_lock() -> None:
    assert parse_lock("") == {}


def test_what_two_images_need_is_common_and_the_rest_their_own() -> None:
    locks = split(
        {"api": lock(shared="1", api="2"), "web": lock(shared="1", web="3")}, {"api": ["python"], "web": ["python"]}
    )
    assert {name: sorted(found) for name, found in locks.items()} == {
        "python": ["shared"],
        "api": ["api"],
        "web": ["web"],
    }


def test_an_image_has_not_again_what_its_parents_have() -> None:
    api, agent = lock(shared="1", api="2"), lock(shared="1", api="2", driver="4")
    locks = split(
        {"api": api, "agent": agent, "web": lock(shared="1")},
        {"api": ["python"], "agent": ["api", "python"], "web": ["python"]},
    )
    assert sorted(locks["agent"]) == ["driver"]
    assert sorted(locks["api"]) == ["api"]


def test_a_child_of_an_image_makes_nothing_common() -> None:
    api, agent = lock(api="2"), lock(api="2", driver="4")
    locks = split({"api": api, "agent": agent}, {"api": ["python"], "agent": ["api", "python"]})
    assert locks["python"] == {}


def test_what_two_children_of_one_image_add_is_in_both() -> None:
    one, two = lock(api="1", x="1"), lock(api="1", x="1")
    locks = split({"api": lock(api="1"), "one": one, "two": two}, {"api": [], "one": ["api"], "two": ["api"]})
    assert sorted(locks["one"]) == sorted(locks["two"]) == ["x"]


def test_every_image_gets_all_that_it_needs_and_nothing_twice() -> None:
    resolved = {"a": lock(x="1", y="1", z="1"), "b": lock(x="1", y="1"), "c": lock(z="1", w="1")}
    locks = split(resolved, {name: ["python"] for name in resolved})
    for name, wanted in resolved.items():
        assert {*locks["python"], *locks[name]} >= set(wanted)
        assert not set(locks["python"]) & set(locks[name])


def test_an_image_of_a_profile_makes_nothing_common() -> None:
    resolved = {"web": lock(a="1", b="1"), "api": lock(a="1"), "extra": lock(a="1", b="1", c="1")}
    found = split(resolved, {name: ["python"] for name in resolved}, alone=["extra"])
    assert {name: set(pins) for name, pins in found.items()} == {
        "python": {"a"},
        "web": {"b"},
        "api": set(),
        "extra": {"b", "c"},
    }


def parrots(root: Path, common: str) -> tuple[CatalogFolders, ImageGraph]:
    """A catalog whose image python has a lock with one line."""
    folders = CatalogFolders(root)
    write_lock(folders.locks / RELEASE.name / "python", {"common": Pin("common", "", common)}, RELEASE)
    base = ImageFile.model_validate({"description": "x", "from": "rootfs"})
    parrot = ImageFile.model_validate({"description": "x", "from": "python", "python": ["parrot"]})
    return folders, ImageGraph((Image("python", root, base), Image("parrot", root, parrot)))


def test_one_image_is_locked_over_what_its_parents_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "resolve", lambda *_: lock(parrot="2", common="1"))
    folders, graph = parrots(tmp_path, "common==1 \\\n    --hash=sha256:aa")
    (tmp_path / "limits").write_text("")
    written = lock_images(folders, graph, RELEASE, ["parrot"], lambda _: None, str(tmp_path / "limits"))
    assert written == (folders.locks / RELEASE.name / "parrot" / "packages.txt",)
    assert [line.split("==")[0] for line in written[0].read_text().splitlines()[1:]] == ["parrot"]


def test_one_image_of_a_profile_compiles_what_its_parents_have_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "resolve", lambda *_: lock(parrot="2", ovs="3"))
    folders, graph = parrots(tmp_path, "common==1")
    (tmp_path / "limits").write_text("")
    graph = ImageGraph(graph.images, {"talking": ["parrot"]})
    written = lock_images(folders, graph, RELEASE, ["parrot"], lambda _: None, str(tmp_path / "limits"))
    assert [path.name for path in written] == ["packages.txt", "wheels.txt"]
    assert "ovs==3 --hash=" in written[1].read_text()


def test_one_image_that_needs_another_version_than_its_parents_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "resolve", lambda *_: lock(parrot="2", common="1"))
    folders, graph = parrots(tmp_path, "common==2")
    (tmp_path / "limits").write_text("")
    with pytest.raises(BuildFailed, match="parrot needs other versions") as caught:
        lock_images(folders, graph, RELEASE, ["parrot"], lambda _: None, str(tmp_path / "limits"))
    assert caught.value.evidence == ("common: 1, and 2 in a parent",)


def test_the_common_lock_is_sorted_so_that_it_does_not_depend_on_the_order_of_images() -> None:
    locks = split({"a": lock(y="1", x="1"), "b": lock(y="1", x="1")}, {"a": [], "b": []})
    assert list(locks["python"]) == ["x", "y"]


def test_two_versions_of_one_package_are_refused_by_name() -> None:
    with pytest.raises(BuildFailed, match="different versions") as caught:
        split({"a": lock(x="1", y="1"), "b": lock(x="2", y="1")}, {"a": [], "b": []})
    assert caught.value.evidence == ("x: 1, 2",)


def test_wheels_and_packages_that_are_compiled_go_to_files_of_their_own(tmp_path: Path) -> None:
    written = write_lock(tmp_path / "neutron", lock(neutron="25", ovs="3"), RELEASE)
    assert written == tmp_path / "neutron" / "packages.txt"
    first, *packages = written.read_text().splitlines()
    assert first == "# Made by `labctl lock`; do not edit."
    assert packages == ["neutron==25 --hash=sha256:neutron"]
    assert (tmp_path / "neutron" / "source.txt").read_text().splitlines() == [first, "ovs==3"]


def test_what_an_image_of_a_profile_compiles_is_hashed_and_its_own(tmp_path: Path) -> None:
    (path,) = write_wheels(tmp_path, lock(horizon="25", ovs="3"), RELEASE)
    assert path.name == "wheels.txt"
    assert path.read_text().splitlines()[1:] == ["ovs==3 --hash=sha256:ovs"]
    assert write_wheels(tmp_path, lock(horizon="25"), RELEASE) == []
    assert not path.exists()


def test_an_image_without_packages_that_are_compiled_has_no_file_for_them(tmp_path: Path) -> None:
    write_lock(tmp_path, lock(glance="29"), RELEASE)
    assert [path.name for path in tmp_path.iterdir()] == ["packages.txt"]


def test_the_pin_of_a_package_is_that_of_the_first_lock_that_has_it() -> None:
    locks = [lock(a="1"), lock(b="2")]
    assert [pin.version for pin in pins_of("b", locks)] == ["2"]
    assert pins_of("c", locks) == ()


def test_constraints_are_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "constraints.txt"
    path.write_text("a===1\nb===2\n")
    assert read_constraints(str(path)) == ("a===1", "b===2")


def test_constraints_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read") as caught:
        read_constraints(str(tmp_path / "gone.txt"))
    assert "--constraints FILE" in caught.value.remedy


def test_a_lock_that_compiles_nothing_any_more(tmp_path: Path) -> None:
    write_lock(tmp_path, lock(neutron="25", ovs="3"), RELEASE)
    write_lock(tmp_path, lock(neutron="26"), RELEASE)
    assert not (tmp_path / "source.txt").exists()
