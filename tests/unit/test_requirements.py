"""requirements.txt, the lock that `make setup` installs: it has all that pyproject.toml names, each with hashes."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAMED = [
    *PROJECT["build-system"]["requires"],
    *PROJECT["project"]["dependencies"],
    *PROJECT["project"]["optional-dependencies"]["dev"],
]
ENTRIES = re.split(r"\n(?=\S)", (ROOT / "requirements.txt").read_text().strip())
PINS = [entry for entry in ENTRIES if not entry.startswith("#")]


@pytest.mark.parametrize("named", NAMED)
def test_what_pyproject_names_is_locked(named: str) -> None:
    wanted = Requirement(named)
    found = [Requirement(pin.partition("\\")[0]) for pin in PINS]
    [pin] = [pin for pin in found if canonicalize_name(pin.name) == canonicalize_name(wanted.name)]
    [version] = [specifier.version for specifier in pin.specifier]
    assert wanted.specifier.contains(version), f"{named}: run `make lock`"


def test_every_pin_has_a_version_and_hashes() -> None:
    assert PINS
    for pin in PINS:
        assert re.match(r"[a-z0-9.-]+==\S+", pin), pin
        assert re.search(r"--hash=sha256:[0-9a-f]{64}$", pin), pin
