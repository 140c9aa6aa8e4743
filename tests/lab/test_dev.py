"""`labctl dev`: Keystone from a source tree. A changed line is what the API answers, and `--stop` takes it back."""

import configparser
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from labctl.bringup.watch import wait
from tests.lab.commands import LABCTL, docker, inspect, labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured

SITE = "/opt/openstack/lib/python3.11/site-packages"
SETUP = "import setuptools\n\nsetuptools.setup(setup_requires=['pbr'], pbr=True)\n"
MINE = "2042-04-02T00:00:00Z"
SECONDS = 60.0
RESTART_LIMIT = 15.0


@pytest.fixture(scope="module")
def tree(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The image's own Keystone as a source tree of pbr, with one console script more than the image has."""
    folder = tmp_path_factory.mktemp("source") / "keystone"
    folder.mkdir(mode=0o755)
    container = lab.containers()["keystone"]["Id"]
    version = inspect("image", [lab.containers()["keystone"]["Image"]])[0]["Config"]["Labels"]
    metadata = f"{SITE}/keystone-{version['org.labctl.version.keystone']}.dist-info"
    docker("cp", f"{container}:{SITE}/keystone", str(folder / "keystone"))
    docker("cp", f"{container}:{metadata}/METADATA", str(folder / "PKG-INFO"))
    docker("cp", f"{container}:{metadata}/entry_points.txt", str(folder.parent))
    entry_points = configparser.RawConfigParser(delimiters=("=",))
    entry_points.optionxform = str  # type: ignore[assignment,method-assign]
    entry_points.read(folder.parent / "entry_points.txt")
    setup = configparser.RawConfigParser()
    setup.optionxform = str  # type: ignore[assignment,method-assign]
    entry_points["console_scripts"]["keystone-from-source"] = "keystone.cmd.status:main"
    setup["metadata"] = {"name": "keystone"}
    setup["files"] = {"packages": "\nkeystone"}
    setup["entry_points"] = {
        group: "".join(f"\n{name} = {target}" for name, target in entry_points[group].items())
        for group in entry_points.sections()
    }
    with (folder / "setup.cfg").open("w") as file:
        setup.write(file)
    (folder / "setup.py").write_text(SETUP)
    return folder


def answer(lab: Lab) -> str:
    """When Keystone's API says that it was updated last; empty while it does not answer."""
    scheme, trust = ("https", str(lab.state.ca_file)) if lab.has_tls else ("http", True)
    try:
        answer = requests.get(f"{scheme}://{lab.plan.gateway}:5000/v3", verify=trust, timeout=5)
        return str(answer.json()["version"]["updated"])
    except requests.RequestException:
        return ""


def started(lab: Lab) -> dict[str, tuple[str, str]]:
    return {service: (one["Id"], one["State"]["StartedAt"]) for service, one in lab.containers().items()}


def touched(lab: Lab, before: dict[str, tuple[str, str]]) -> set[str]:
    after = started(lab)
    return {service for service in before | after if before.get(service) != after.get(service)}


@pytest.fixture
def watching(lab: Lab, tree: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`labctl dev` in the foreground, once it watches."""
    command = [str(LABCTL), "dev", "keystone", "--src", str(tree), "--name", lab.name]
    said = tmp_path / "said"
    with said.open("wb") as stderr, (tmp_path / "log").open("wb") as stdout:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr)
        try:
            assert wait(lambda: "Watching;" in said.read_text() or process.poll() is not None, SECONDS)
            assert process.poll() is None, said.read_text()
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(30)


def test_a_folder_that_is_no_source_tree_changes_nothing(lab: Lab, tmp_path: Path) -> None:
    before = started(lab)
    ran = labctl("dev", "keystone", "--src", str(tmp_path), "--name", lab.name)
    assert ran.code == 2, str(ran)
    assert "is no source tree of keystone" in ran.err
    assert touched(lab, before) == set()


def test_a_changed_line_is_what_the_api_answers(
    lab: Lab, tree: Path, watching: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    before = answer(lab)
    assert before
    source = tree / "keystone" / "api" / "discovery.py"
    text = source.read_text()
    assert text.count(f"'{before}'") == 1
    running = started(lab)
    source.write_text(text.replace(f"'{before}'", f"'{MINE}'"))
    measured("labctl dev: from a saved line to the API's answer", seconds_until(lab, MINE), "s", RESTART_LIMIT)
    assert touched(lab, running) == {"keystone"}
    # Ctrl-C ends the watch, not the service.
    watching.send_signal(signal.SIGINT)
    assert watching.wait(30) == 0
    assert answer(lab) == MINE
    assert "spawned uWSGI" in (tmp_path / "log").read_text(), "the log of the restarted service was not shown"


def seconds_until(lab: Lab, wanted: str) -> float:
    from time import monotonic

    begin = monotonic()
    assert wait(lambda: answer(lab) == wanted, SECONDS, poll=0.1), answer(lab)
    return monotonic() - begin


def test_the_trees_own_console_scripts_are_there(lab: Lab) -> None:
    ran = labctl("exec", "--name", lab.name, "keystone", "keystone-from-source", "--help")
    assert ran.code == 0, str(ran)


def test_status_and_up_know_that_it_runs_from_source(lab: Lab, tree: Path) -> None:
    status = json.loads(labctl("status", "--name", lab.name, "--json").out)
    sources = {service: one["source"] for service, one in status["services"].items() if one["source"]}
    assert sources == {"keystone": str(tree)}
    before = started(lab)
    ran = labctl("up", "--name", lab.name)
    assert ran.code == 0, str(ran)
    assert f"from {tree}: keystone" in ran.err
    assert touched(lab, before) == set()
    assert answer(lab) == MINE


def test_stop_returns_to_the_image_and_touches_nothing_else(lab: Lab) -> None:
    running = started(lab)
    assert answer(lab) == MINE
    ran = labctl("dev", "keystone", "--stop", "--name", lab.name)
    assert ran.code == 0, str(ran)
    assert answer(lab) not in ("", MINE)
    assert touched(lab, running) == {"keystone"}
    assert labctl("exec", "--name", lab.name, "keystone", "keystone-from-source").code != 0
