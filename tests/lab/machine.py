"""What the machine is at a moment, and how two moments differ."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from labctl.lab.state import state_root
from tests.lab.commands import docker, docker_json, labelled
from tests.lab.figures import artifacts

PROBE = Path(__file__).with_name("probe.py")
OBSERVER = "labctl/neutron-agents:2024.2"
"""The image of the lab that has `ip`, both kinds of iptables, and Python."""

LABS = ("test", "interrupted", "fault")
"""The labs that these tests bring up."""

Snapshot = Mapping[str, Sequence[str]]


def probe(what: str, *arguments: str) -> Any:
    """Looks at the machine with probe.py, in a container that sees the host's processes and network."""
    rights = ("--privileged", "--pid", "host", "--network", "host", "--cgroupns", "host", "--read-only")
    said = docker(
        *(
            "run",
            "--rm",
            "--interactive",
            *rights,
            "--entrypoint",
            "/usr/bin/python3",
            OBSERVER,
            "-I",
            "-",
            what,
            *arguments,
        ),
        stdin=PROBE.read_text(),
    )
    return json.loads(said)


def snapshot(name: str = "") -> Snapshot:
    """Everything of the machine that a lab could change. Kept as an artifact where it has a name.

    Other labs and containers may be there, as long as nobody brings one up or takes one down meanwhile.
    """
    ours = {container for lab in LABS for container in labelled(lab)["containers"]}
    others = set(docker("ps", "--all", "--quiet", "--no-trunc").split()) - ours
    seen = {
        **probe("machine", *sorted(others)),
        "containers": [f"{one['Names']} ({one['Image']})" for one in docker_json("ps", "--all")],
        "networks": [f"{one['Name']} ({one['Driver']})" for one in docker_json("network", "ls")],
        "volumes": [one["Name"] for one in docker_json("volume", "ls")],
        # The locks beside them stay: to remove a lock file that another process may wait on is a race.
        "state folders": [path.name for path in state_root().glob("labs/*")],
    }
    if name:
        (artifacts() / f"machine-{name}.json").write_text(json.dumps(seen, indent=2) + "\n")
    return seen


def compare(before: Snapshot, after: Snapshot) -> list[str]:
    """The differences, one line each: what is there that was not, and what is gone."""
    found = []
    for kind in before:
        was, is_now = Counter(before[kind]), Counter(after[kind])
        found += [f"{kind}: left behind: {text}" + times(count) for text, count in sorted((is_now - was).items())]
        found += [f"{kind}: gone: {text}" + times(count) for text, count in sorted((was - is_now).items())]
    return found


def times(count: int) -> str:
    return f" ({count} times)" if count > 1 else ""
