"""What the tests with a Docker engine share: the engine, the built images, and the figures at the end."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from labctl.catalog.folders import catalog_folders
from labctl.catalog.image import Image, ImageGraph, load_images
from labctl.catalog.profile import load_profiles
from labctl.render.images import Naming
from tests.lab.commands import Ran, execute, labctl
from tests.lab.figures import MEASURED, measured

ROOT = Path(__file__).parents[1]
RELEASE = "2024.2"
BUILD_LIMIT = 360.0


# A shell that starts tests in the background lets them ignore SIGINT; Python, and what it starts, then leave it so.
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Built:
    """The images of the release, after `labctl build`."""

    ran: Ran
    graph: ImageGraph

    def reference(self, image: str) -> str:
        return Naming(RELEASE).reference(image)

    @property
    def references(self) -> dict[str, str]:
        """Image name to reference, of all that a lab needs."""
        return {image.name: self.reference(image.name) for image in self.images}

    @property
    def images(self) -> tuple[Image, ...]:
        return self.graph.runtime()


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine that answers. Without one a person may still run the other tests; CI may not."""
    asked = execute(["docker", "version", "--format", "{{.Server.Version}}"])
    if asked.code == 0:
        return
    if os.environ.get("CI") == "true" or os.environ.get("LABCTL_REQUIRE_ENGINE"):
        pytest.fail(f"no Docker engine answers:\n{asked}")
    pytest.skip(f"no Docker engine answers (`labctl engine start`): {asked.err.strip()}")


@pytest.fixture(scope="session")
def built(engine: None) -> Built:
    """All images, those of profiles too, built by `labctl build`; with a warm cache that is quick."""
    ran = labctl("build", "--progress", "plain", timeout=3600)
    assert ran.code == 0, str(ran)
    measured("labctl build", ran.seconds, "s", BUILD_LIMIT)
    # Those that only labs with profiles need: before the machine is looked at, as building leaves traces of BuildKit.
    profiles = ",".join(load_profiles(catalog_folders()).names)
    more = labctl("build", "--with", profiles, "--progress", "plain", timeout=3600)
    assert more.code == 0, str(more)
    tempest = labctl("build", "tempest", "--progress", "plain", timeout=900)
    assert tempest.code == 0, str(tempest)
    return Built(ran, load_images(catalog_folders()))


@pytest.fixture(scope="session")
def profiles_built(built: Built) -> None:
    """The images of all profiles, too."""
    ran = labctl("build", "--with", ",".join(load_profiles(catalog_folders()).names), timeout=1800)
    assert ran.code == 0, str(ran)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if MEASURED:
        terminalreporter.section("figures")
        width = max(map(len, MEASURED))
        for name, figure in MEASURED.items():
            terminalreporter.write_line(f"{name:<{width}}  {figure}")
