"""What each profile of this checkout adds to a lab, kept in golden/profiles/NAME/."""

import pytest
import yaml
from fixed_lab import FOLDERS, make_plan, read_yaml, render
from golden_files import assert_golden

from labctl.catalog.profile import load_profiles

PLAIN = render(make_plan())
SECTIONS = ("services", "networks", "volumes")


@pytest.mark.parametrize("profile", load_profiles(FOLDERS).names)
def test_what_a_lab_has_besides(profile: str) -> None:
    files = render(make_plan(profiles=(profile,)))
    besides = {name: content for name, content in files.items() if PLAIN.get(name) != content}
    before, after = read_yaml(PLAIN["compose.yaml"]), read_yaml(besides.pop("compose.yaml"))
    compose = {
        section: {name: value for name, value in after[section].items() if before[section].get(name) != value}
        for section in SECTIONS
    }
    besides["compose-besides.yaml"] = yaml.safe_dump(compose, sort_keys=False).encode()
    assert_golden(f"profiles/{profile}", besides)


@pytest.mark.parametrize("profile", load_profiles(FOLDERS).names)
def test_settings_that_are_python_compile(profile: str) -> None:
    for name, content in render(make_plan(profiles=(profile,))).items():
        if name.endswith(".py"):
            compile(content, name, "exec")
