"""What each profile of this checkout adds to a lab, kept in golden/profiles/NAME/."""

from collections.abc import Mapping

import pytest
import yaml
from fixed_lab import FOLDERS, make_plan, read_yaml, render
from golden_files import assert_golden

from labctl.catalog.profile import load_profiles

PLAIN = render(make_plan())
SECTIONS = ("services", "networks", "volumes")


def besides(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of a lab that another one has not, or has otherwise; of the Compose file such services alone."""
    others = {name: content for name, content in after.items() if before.get(name) != content}
    old, new = read_yaml(before["compose.yaml"]), read_yaml(others.pop("compose.yaml"))
    compose = {
        section: {name: value for name, value in new[section].items() if old[section].get(name) != value}
        for section in SECTIONS
    }
    return {**others, "compose-besides.yaml": yaml.safe_dump(compose, sort_keys=False).encode()}


@pytest.mark.parametrize("profile", load_profiles(FOLDERS).names)
def test_what_a_lab_has_besides(profile: str) -> None:
    assert_golden(f"profiles/{profile}", besides(PLAIN, render(make_plan(profiles=(profile,)))))


def test_what_is_otherwise_where_servers_and_images_are_in_ceph() -> None:
    before, after = (render(make_plan(profiles=("ceph",), image_backend=where)) for where in ("local", "rbd"))
    assert_golden("profiles/ceph-images-rbd", besides(before, after))


def test_what_is_otherwise_where_servers_are_directly_on_the_provider_network() -> None:
    flat = render(make_plan(network="flat"))
    assert_golden("network-flat", besides(PLAIN, flat))
    gone = read_yaml(PLAIN["compose.yaml"])["services"].keys() - read_yaml(flat["compose.yaml"])["services"].keys()
    assert gone == {"net-dhcp-agent"}


@pytest.mark.parametrize("profile", load_profiles(FOLDERS).names)
def test_settings_that_are_python_compile(profile: str) -> None:
    for name, content in render(make_plan(profiles=(profile,))).items():
        if name.endswith(".py"):
            compile(content, name, "exec")
