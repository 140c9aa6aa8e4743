"""The command line as a person meets it: help, version, mistakes, errors with their exit codes, what is imported."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from labctl import __version__, errors
from labctl.cli import main
from labctl.errors import LabctlError

COMMANDS = (
    "audit",
    "build",
    "up",
    "demo",
    "dev",
    "status",
    "list",
    "prune",
    "logs",
    "exec",
    "openstack",
    "openrc",
    "ca",
    "stop",
    "start",
    "down",
    "lock",
    "engine",
    "scale",
    "node",
    "snapshot",
    "reset",
    "config",
    "doctor",
    "explain",
    "trace",
    "fault",
    "verify",
)
HEAVY = (
    *("docker", "openstack", "paramiko", "rich.live", "httpx", "jinja2", "pydantic", "pyroute2", "PIL", "yaml"),
    *("cyclonedx", "packageurl", "pip_audit", "requests"),
)


def private(folder: Path) -> dict[str, str]:
    """State and cache folders of a test's own."""
    return {f"XDG_{kind}_HOME": f"{folder}/{kind}" for kind in ("STATE", "CACHE")}


def labctl(
    *arguments: str, folder: Path | None = None, program: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs labctl in a process of its own, with state and cache folders of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LABCTL_", "DOCKER_"))}
    return subprocess.run(
        [sys.executable, "-c", program or "from labctl.cli.main import run; run()", *arguments],
        env={**kept, "COLUMNS": "200", "NO_COLOR": "1", **(private(folder) if folder else {}), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    code: int
    stdout: str
    stderr: str


Ask = Callable[..., Answer]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Ask]:
    """Runs labctl in this process: the same entry point, and ten times faster."""
    for name, value in {"COLUMNS": "200", "NO_COLOR": "1", **private(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: str) -> Answer:
        monkeypatch.setattr(sys, "argv", ["labctl", *arguments])
        with pytest.raises(SystemExit) as ended:
            main.run()
        assert isinstance(ended.value.code, int)
        return Answer(ended.value.code, *capsys.readouterr())

    yield run
    signal.signal(signal.SIGTERM, handler)


def test_help_names_every_command(ask: Ask) -> None:
    for option in ("--help", "-h"):
        answer = ask(option)
        assert answer.code == 0
        assert all(command in answer.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", [command for command in COMMANDS if command != "openstack"])
def test_every_command_has_help(ask: Ask, command: str) -> None:
    answer = ask(command, "--help")
    assert (answer.code, answer.stderr) == (0, "")
    assert f"Usage: labctl {command} " in answer.stdout


def test_version() -> None:
    answer = labctl("--version")
    assert (answer.returncode, answer.stdout) == (0, f"labctl {__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "code", "lines"),
    [
        (("build", "novaa"), 2, ["Error: There is no image 'novaa'.", "There are: base"]),
        (("build", "--release", "2042.1"), 2, ["Error: There is no release '2042.1'.", "What to do: There are: 20"]),
        (("build", "--push"), 2, ["Error: --push needs --registry."]),
        (("build", "--graph", "svg"), 2, ["Error: There is no graph language 'svg'.", "What to do: dot or mermaid."]),
        (
            ("up", "--nodes", "65"),
            2,
            ["Error: A lab cannot have 65 nodes.", "    allowed: a whole number from 1 to 64"],
        ),
        (("up", "--nodes", "0"), 2, ["Error: A lab cannot have 0 nodes.", "    allowed: a whole number from 1 to 64"]),
        (("up", "--name", "My Lab"), 2, ["'My Lab' cannot be the name of a lab", "for example 'my-lab'"]),
        (("up", "--file", "/gone.yaml"), 2, ["Error: /gone.yaml cannot be read"]),
        (("openrc",), 8, ["Error: There is no lab.", "What to do: `labctl up` makes one."]),
        (("status", "--name", "gone"), 8, ["Error: There is no lab 'gone'."]),
        (("openstack", "--name", "gone", "server", "list"), 8, ["Error: There is no lab 'gone'."]),
        (("logs", "nova-api"), 8, ["Error: There is no lab."]),
        (("demo",), 8, ["Error: There is no lab."]),
        (("dev", "nova", "--src", "/"), 8, ["Error: There is no lab."]),
    ],
)
def test_an_error_is_shown_with_what_to_do_and_its_exit_code(
    ask: Ask, tmp_path: Path, arguments: tuple[str, ...], code: int, lines: list[str]
) -> None:
    answer = ask(*arguments)
    assert answer.code == code, answer.stderr
    for line in lines:
        assert line in answer.stderr
    assert answer.stdout == ""
    assert "Traceback" not in answer.stderr
    assert not (tmp_path / "STATE").exists(), "something half-done is left"


def test_a_lab_file_with_mistakes_is_named_with_lines(ask: Ask, tmp_path: Path) -> None:
    path = tmp_path / "lab.yaml"
    path.write_text("nodes: 2\nreleese: 2024.2\nconfiguration:\n  novaa: [x.conf]\n")
    answer = ask("up", "--file", str(path))
    assert answer.code == 2
    assert f"    {path}:2:1: releese: unknown key; did you mean 'release'?" in answer.stderr
    assert f"    {path}:4:3: configuration.novaa: unknown service; did you mean 'nova'?" in answer.stderr


def test_without_an_engine_it_is_said_so(tmp_path: Path) -> None:
    answer = labctl("list", folder=tmp_path, DOCKER_HOST=f"unix://{tmp_path}/gone.sock")
    assert answer.returncode == 3
    assert answer.stderr.startswith("Error: ")
    assert "What to do: " in answer.stderr


def test_every_kind_of_error_has_an_exit_code_of_its_own() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, LabctlError)]
    codes = {kind.exit_code: kind for kind in kinds}
    assert len(codes) == len(kinds) == 12
    assert not set(codes) & {0, 126, 127, errors.INTERRUPTED}


FAILING = """
import sys
from labctl.cli import main
@main.app.command("fail")
def fail() -> None:
    {body}
main.run()
"""


def fail(body: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return labctl("fail", program=FAILING.format(body=body), **environment)


def test_a_bug_is_called_one_and_shown_only_on_request() -> None:
    answer = fail("raise ValueError('odd')")
    assert answer.returncode == 1
    assert answer.stderr.splitlines() == [
        "labctl has a bug: ValueError: odd",
        "LABCTL_DEBUG=1 shows where; please report it.",
    ]
    assert "Traceback (most recent call last)" in fail("raise ValueError('odd')", LABCTL_DEBUG="1").stderr


def test_lines_of_evidence_are_shown_as_they_are() -> None:
    long = "x" * 300
    evidence = ["[bold]a[/bold] :smile:", long]
    answer = fail(f"from labctl.errors import BuildFailed; raise BuildFailed('No.', evidence={evidence})")
    assert answer.returncode == 5
    assert answer.stderr.splitlines() == ["Error: No.", "    [bold]a[/bold] :smile:", f"    {long}"]


def test_the_command_line_starts_without_what_single_commands_need() -> None:
    program = "import sys, labctl.cli.main; print(*sorted(sys.modules))"
    loaded = set(labctl(program=program).stdout.split())
    assert "labctl.cli.up" in loaded
    assert sorted(loaded & set(HEAVY)) == []


def test_help_needs_none_of_it_either() -> None:
    program = "import atexit, sys; from labctl.cli.main import run; atexit.register(lambda: print(*sys.modules)); run()"
    loaded = set(labctl("up", "--help", program=program).stdout.split())
    assert "labctl.cli.up" in loaded
    assert sorted(loaded & {"docker", "openstack", "paramiko", "httpx", "jinja2"}) == []


def test_commands_are_those_that_the_documents_name() -> None:
    groups = {command.name or command.callback.__name__ for command in main.app.registered_commands if command.callback}
    assert groups | {group.name for group in main.app.registered_groups} == set(COMMANDS)
