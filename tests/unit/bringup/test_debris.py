"""What `prune` may remove: labctl's own, and only what nobody needs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from labctl.bringup.debris import CACHE_MOUNT, FIRST_STEP, Debris, children_first, find_debris, is_gone, is_ours
from labctl.catalog.folders import catalog_folders
from labctl.engine.inventory import CacheRecord, ImageSeen, Inventory
from labctl.engine.labels import TITLE_LABEL
from labctl.engine.remains import Remains
from labctl.lab.owner import Owner, this_user

NOVA = {TITLE_LABEL: "labctl/nova"}
CURRENT = ImageSeen("sha256:current", ("labctl/nova:2024.2",), NOVA)
REPLACED = ImageSeen("sha256:replaced", (), NOVA)


def find(*images: ImageSeen, **values: Any) -> Debris:
    inventory = Inventory(images=images, records=values.pop("records", ()))
    defaults: dict[str, Any] = {"remains": {}, "folders": (), "guests": (), "needed": ()}
    return find_debris(inventory, **{**defaults, **values})


@pytest.mark.parametrize(
    ("references", "labels", "ours"),
    [
        ((), NOVA, True),
        (("labctl/nova:2024.2",), NOVA, True),
        (("labctl/nova:2024.2", "registry.example.org:5000/team/labctl/nova:mine"), NOVA, True),
        (("labctl/rootfs:bookworm",), {}, True),
        ((), {}, False),
        ((), {TITLE_LABEL: "somebody/nova"}, False),
        # Somebody's image that is made on one of ours has its label.
        (("somebody/nova:1",), NOVA, False),
        (("labctl/nova:2024.2", "somebody/nova:1"), NOVA, False),
        (("labctl/other:1",), NOVA, False),
        (("labctl/nova:2024.2",), {}, False),
        (("notlabctl/nova:1",), NOVA, False),
        (("debian:bookworm-slim",), {}, False),
    ],
)
def test_an_image_is_labctls_by_all_its_names_and_its_label(
    references: tuple[str, ...], labels: dict[str, str], ours: bool
) -> None:
    assert is_ours(ImageSeen("x", references, labels)) is ours


def test_images_that_a_newer_build_replaced_go_and_the_newest_stay() -> None:
    assert find(CURRENT, REPLACED).images == (REPLACED,)


def test_an_image_with_a_container_stays() -> None:
    used = replace(REPLACED, containers=1)
    assert find(used, replace(CURRENT, containers=1), everything=True).images == ()


def test_with_all_the_newest_go_unless_a_lab_needs_them() -> None:
    assert find(CURRENT, REPLACED, everything=True).images == (CURRENT, REPLACED)
    assert find(CURRENT, REPLACED, everything=True, needed=["labctl/nova:2024.2"]).images == (REPLACED,)


def test_other_peoples_images_stay_whatever_is_asked() -> None:
    theirs = (ImageSeen("a", ("theirs:1",)), ImageSeen("b"), ImageSeen("c", ("on/labctl:1",), NOVA))
    assert find(*theirs, everything=True, volumes=True).images == ()


def test_layers_are_counted_once_and_not_where_an_image_stays_that_has_them() -> None:
    shared, one, two = {"base": 100}, {"one": 10}, {"two": 1}
    doomed = [replace(REPLACED, id=name, layers={**shared, **own}) for name, own in (("a", one), ("b", {**one, **two}))]
    assert find(*doomed).image_bytes == 111
    assert find(*doomed, replace(CURRENT, layers=shared)).image_bytes == 11


BASE = CacheRecord("base", ("rootfs",), f"mount / from exec /bin/sh -c {FIRST_STEP} --home-dir /nonexistent")
RECORDS = (
    CacheRecord("rootfs", (), "from local"),
    BASE,
    CacheRecord("nova", ("base",), "[nova 2/2] COPY nova/files /"),
    CacheRecord("merged", ("other", "nova"), "[x 1/1] COPY --from=nova"),
    CacheRecord("mount", (), f'cached mount /root/.cache/uv from exec /bin/sh -c x {CACHE_MOUNT}uv"'),
    CacheRecord("other", ("rootfs",), "[nova 2/2] COPY nova/files /"),
    CacheRecord("source", (), "local source for context"),
    CacheRecord("their mount", (), 'cached mount /root/.cache from exec /bin/sh -c x with id "/pip"'),
)


def test_build_cache_is_ours_where_it_is_made_on_our_base() -> None:
    debris = find(records=RECORDS)
    assert {record.id for record in debris.records} == {"base", "nova", "merged", "mount"}
    assert {record.id for record in debris.others} == {"rootfs", "other", "source", "their mount"}


def test_a_record_goes_before_those_that_it_is_made_on() -> None:
    for records in (RECORDS, RECORDS[::-1]):
        order = [record.id for record in find(records=records).records]
        assert order.index("merged") < order.index("nova") < order.index("base")


def test_what_a_build_uses_now_stays() -> None:
    records = [replace(record, in_use=record.id == "nova") for record in RECORDS]
    assert "nova" not in {record.id for record in find(records=records).records}


def test_records_that_need_each_other_do_not_hang_it() -> None:
    circle = (CacheRecord("a", ("b",)), CacheRecord("b", ("a",)))
    assert set(children_first(circle)) == set(circle)
    assert find(records=circle).records == ()


def test_the_marks_of_our_cache_are_what_the_catalog_says() -> None:
    images = catalog_folders().images
    assert f"RUN {FIRST_STEP}" in (images / "base" / "Dockerfile.j2").read_text()
    macros = (images / "macros.j2").read_text()
    mounts = [part.split(",")[0] for part in macros.split("type=cache,id=")[1:]]
    mounts += [
        part.split(",")[0]
        for file in images.glob("*/Dockerfile.j2")
        for part in file.read_text().split("type=cache,id=")[1:]
    ]
    assert mounts
    assert [mount for mount in mounts if not f"/{mount}".startswith(CACHE_MOUNT.rpartition('"')[2])] == []


VOLUME, NETWORK, CONTAINER = Remains(volumes=("v",)), Remains(networks=("n",)), Remains(containers=("c",))


@pytest.mark.parametrize(
    ("there", "folder", "gone"),
    [
        (Remains(), True, True),  # a state folder alone
        (NETWORK, True, True),
        (NETWORK, False, True),
        (VOLUME, True, False),  # down --keep-data
        (VOLUME, False, True),
        (CONTAINER, True, False),
        (CONTAINER, False, False),  # runs, and its state folder was lost or is another user's
    ],
)
def test_a_lab_is_gone_where_nothing_of_it_is_of_use(there: Remains, folder: bool, gone: bool) -> None:
    assert is_gone(there, folder) is gone


def test_what_is_left_of_gone_labs_goes_and_volumes_only_when_asked_for() -> None:
    remains = {"kept": VOLUME, "lost": VOLUME, "net": NETWORK, "up": CONTAINER}
    found = find(remains=remains, folders={"kept", "up", "folder"})
    assert found.labs == {"folder": Remains(), "net": NETWORK}
    assert found.kept_labs == ("lost",)
    found = find(remains=remains, folders={"kept", "up", "folder"}, volumes=True)
    assert found.labs == {"folder": Remains(), "lost": VOLUME, "net": NETWORK}
    assert found.kept_labs == ()


def test_guest_images_whose_image_is_gone_go() -> None:
    image = ImageSeen("sha256:0123456789abcdef" + "0" * 48, ("labctl/guest:2024.2",), {TITLE_LABEL: "labctl/guest"})
    folders = [Path("/c/guests") / name for name in ("0123456789abcdef", "fedcba9876543210", "downloaded")]
    assert find(image, guests=folders).guests == (folders[1],)
    assert find(image, guests=folders, everything=True).guests == tuple(folders[:2])


def test_what_is_left_of_another_users_lab_stays() -> None:
    alice = Owner(4_000_000_001, "alice")
    theirs, mine = replace(NETWORK, owner=alice), replace(NETWORK, owner=this_user())
    remains = {"theirs": theirs, "data": replace(VOLUME, owner=alice), "mine": mine, "up": CONTAINER}
    found = find(remains=remains, folders={"theirs"}, volumes=True)
    assert found.labs == {"mine": mine}
    assert found.others_labs == {"data": alice, "theirs": alice}
    assert found.kept_labs == ()
