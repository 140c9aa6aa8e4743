"""Runs labctl and docker as a person does, and keeps what they said and how long they took."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LABCTL = Path(sys.executable).with_name("labctl")
"""The command of the virtual environment that the tests run in."""


@dataclass(frozen=True)
class Ran:
    """A command that ended."""

    command: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float

    def __str__(self) -> str:
        said = "\n".join(filter(None, (self.out.strip(), self.err.strip())))
        return f"$ {' '.join(self.command)}\nexit code {self.code} after {self.seconds:.1f} s\n{said}"

    @property
    def events(self) -> list[dict[str, Any]]:
        """What `--progress json` wrote; fails where a line is anything else."""
        return [json.loads(line) for line in self.err.splitlines()]


def execute(
    command: Sequence[str],
    *,
    timeout: float = 120,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: str | None = None,
) -> Ran:
    begin = time.monotonic()
    ended = subprocess.run(
        list(command),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=timeout,
        env=None if env is None else dict(env),
        cwd=cwd,
        **({"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}),
    )
    return Ran(tuple(command), ended.returncode, ended.stdout, ended.stderr, time.monotonic() - begin)


def labctl(*arguments: str, timeout: float = 300, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ran:
    return execute([str(LABCTL), *arguments], timeout=timeout, env=env, cwd=cwd)


def docker(*arguments: str, timeout: float = 120, stdin: str | None = None) -> str:
    """Standard output of a docker command that must work."""
    ran = execute(["docker", *arguments], timeout=timeout, stdin=stdin)
    assert ran.code == 0, str(ran)
    return ran.out


def docker_json(*arguments: str) -> list[dict[str, Any]]:
    """The objects that a docker command prints with `--format '{{json .}}'`."""
    return [json.loads(line) for line in docker(*arguments, "--format", "{{json .}}").splitlines()]


def inspect(kind: str, names: Sequence[str]) -> list[dict[str, Any]]:
    """What the engine knows of containers, images, networks or volumes."""
    return json.loads(docker(kind, "inspect", *names)) if names else []


def labelled(lab: str) -> dict[str, list[str]]:
    """All that the engine has of a lab: containers, networks and volumes."""
    by_label = ("--filter", f"label=org.labctl.lab={lab}")
    return {
        "containers": docker("ps", "--all", "--quiet", "--no-trunc", *by_label).split(),
        "networks": docker("network", "ls", "--quiet", *by_label).split(),
        "volumes": docker("volume", "ls", "--quiet", *by_label).split(),
    }
