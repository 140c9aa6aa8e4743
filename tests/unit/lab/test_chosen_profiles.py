"""The profiles of a lab: asked for, taken away, and what settings of the lab file need."""

from pathlib import Path

import pytest

from labctl.catalog.profile import ProfileFile, Profiles
from labctl.errors import BadInput
from labctl.lab.file import LabFile, dump_lab_file, load_lab_file
from labctl.lab.profiles import check_profiles, listed, with_profiles

KNOWN = Profiles(
    {
        "ceph": ProfileFile(description="x", enables={"images": ("rbd",)}),
        "cinder": ProfileFile(description="x", needs=("ceph",)),
        "swift": ProfileFile(description="x", enables={"glance.store": ("swift",)}),
    }
)


def lab(*profiles: str, **values: object) -> LabFile:
    return LabFile.model_validate({"with": profiles, **values})


def test_profiles_are_read_and_written_as_with(tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text("with: [swift, cinder]\nglance: {store: swift}\nimages: rbd\n")
    found = load_lab_file(path, ())
    assert (found.profiles, found.glance.store, found.images) == (("swift", "cinder"), "swift", "rbd")
    path.write_text(dump_lab_file(found))
    assert load_lab_file(path, ()) == found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("profiles: [swift]\n", "1:1: profiles: unknown key"),
        ("with: swift\n", "1:7: with: 'swift' is not allowed; allowed: a list of profiles"),
        ("glance: {store: sheepdog}\n", "1:17: glance.store: 'sheepdog' is not allowed; allowed: {store: file}"),
        ("glance: {shop: file}\n", "1:10: glance.shop: unknown key; allowed: store"),
        ("images: ceph\n", "1:9: images: 'ceph' is not allowed; allowed: local, or rbd"),
    ],
)
def test_mistakes_are_named_at_their_place(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        load_lab_file(path, ())
    assert caught.value.evidence[0].startswith(f"{path}:{line}")


def test_more_and_fewer_profiles() -> None:
    assert with_profiles(lab(), KNOWN, more=["swift", "cinder"]).profiles == ("swift", "cinder")
    assert with_profiles(lab("swift"), KNOWN, more=["swift"]).profiles == ("swift",)
    assert with_profiles(lab("swift", "cinder"), KNOWN, fewer=["swift"]).profiles == ("cinder",)
    assert with_profiles(lab("cinder"), KNOWN, more=["swift"], fewer=["cinder", "ceph"]).profiles == ("swift",)
    assert with_profiles(lab(), KNOWN, fewer=["swift"]).profiles == ()


def test_what_another_profile_needs_cannot_go_alone() -> None:
    with pytest.raises(BadInput, match="'ceph' cannot go: cinder needs it") as caught:
        with_profiles(lab("cinder"), KNOWN, fewer=["ceph"])
    assert "--without cinder,ceph" in caught.value.remedy


def test_an_unknown_profile_is_named_with_the_nearest() -> None:
    for refused in (lambda: with_profiles(lab(), KNOWN, more=["swft"]), lambda: check_profiles(lab("swft"), KNOWN)):
        with pytest.raises(BadInput, match="no profile 'swft'") as caught:
            refused()
        assert "swift" in caught.value.remedy


def test_settings_whose_profile_is_there_are_taken() -> None:
    check_profiles(lab(), KNOWN)
    check_profiles(lab("cinder", "swift", images="rbd", glance={"store": "swift"}), KNOWN)


@pytest.mark.parametrize(
    ("wanted", "what", "remedy"),
    [
        (lab("swift", images="rbd"), "`images: rbd` needs the profile ceph.", "--with ceph"),
        (lab("cinder", glance={"store": "swift"}), "`glance.store: swift` needs the profile swift.", "--with swift"),
    ],
)
def test_a_setting_whose_profile_is_missing_is_refused(wanted: LabFile, what: str, remedy: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_profiles(wanted, KNOWN)
    assert caught.value.what == what
    assert remedy in caught.value.remedy


def test_a_setting_that_no_profile_enables_is_refused() -> None:
    with pytest.raises(BadInput, match="that the catalog has not"):
        check_profiles(lab(images="rbd"), Profiles({}))


def test_names_in_a_flag() -> None:
    assert listed("horizon,swift, cinder,") == ("horizon", "swift", "cinder")
    assert listed(None) == listed("") == ()
