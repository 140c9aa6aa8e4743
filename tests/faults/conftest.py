"""One machine that can be switched off for all tests of this folder, with the images of a lab."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.engine.process import run
from tests.conftest import Built
from tests.faults.machine import Machine
from tests.lab.commands import docker, labctl

SEED = int(os.environ.get("LABCTL_FAULT_SEED", "1"))
"""Decides the points that are not given; the same seed gives the same suite."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.parent == here:
            # openstacksdk warns of its own internals, and leaves its sockets to the garbage collector.
            item.add_marker(pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            item.add_marker(pytest.mark.filterwarnings("ignore:Exception ignored in. <socket"))


@pytest.fixture(scope="session")
def machine(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The machine, on, with the images; its engine's data may be several GB."""
    if os.getuid():
        pytest.skip("a machine in namespaces needs root")
    # Short: sockets in it must have less than 108 characters.
    folder = Path(run(["mktemp", "--directory", "/var/tmp/labctl-XXXXXX"]).stdout.strip())  # noqa: S108 - mktemp's
    before = dict(os.environ)
    machine = Machine(folder)
    archive = folder / "images.tar"
    try:
        docker("save", "--output", str(archive), *built.references.values(), timeout=600)
        os.environ["XDG_STATE_HOME"] = str(folder / "state")
        machine.boot()
        docker("load", "--input", str(archive), timeout=600)
        archive.unlink()
        yield machine
    finally:
        if machine.first:
            machine.pull_the_plug()
        os.environ.clear()
        os.environ.update(before)
        shutil.rmtree(folder)


@pytest.fixture
def no_lab(machine: Machine) -> Iterator[None]:
    """Removes every lab of the machine at the end of a test, whatever became of it."""
    yield
    for path in sorted((machine.folder / "state/labctl/labs").glob("*")):
        labctl("down", "--name", path.name)


def start_labctl(*arguments: str) -> subprocess.Popen[str]:
    """Starts labctl with its events on a pipe."""
    from tests.lab.commands import LABCTL

    return subprocess.Popen(
        [str(LABCTL), *arguments, "--progress", "json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
