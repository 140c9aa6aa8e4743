"""The interoperability guideline of the OpenInfra Foundation: the tests that an OpenStack Powered Platform must pass.

interop-2020.06.json holds the required tests of the guideline's two components by idempotent id, the one name of a test
that stays when it moves: https://opendev.org/openstack/interop/raw/branch/master/2020.06.json
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

DATA = "interop-2020.06.json"


@dataclass(frozen=True)
class RequiredTest:
    """A test that the guideline requires.

    Attributes:
        id: Its idempotent id.
        components: compute, storage, or both.
        name: What it was called when the guideline was written.
    """

    id: str
    components: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class Guideline:
    """The guideline.

    Attributes:
        version: Such as 2020.06.
        required: The tests, by idempotent id.
    """

    version: str
    required: Mapping[str, RequiredTest]


def load_guideline() -> Guideline:
    """Reads the guideline that labctl comes with."""
    data = json.loads((files(__package__) / DATA).read_text())
    components: dict[str, dict[str, dict[str, str]]] = data["components"]
    names = {identifier: test["test"] for tests in components.values() for identifier, test in tests.items()}
    required = {
        identifier: RequiredTest(identifier, tuple(one for one in components if identifier in components[one]), name)
        for identifier, name in names.items()
    }
    return Guideline(data["guideline"], required)
