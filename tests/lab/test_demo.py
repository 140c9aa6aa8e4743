"""`labctl demo` against a real lab: LABCTL_TEST_LAB names one that runs, else the fixture `lab` brings one up."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import platformdirs
import pytest
from PIL import Image

from labctl.cloud.connection import connect

pytestmark = [
    # openstacksdk warns of its own internals, and leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Exception ignored in. <socket"),
]

SSH_SECONDS = 25.0


@pytest.fixture
def lab_name(request: pytest.FixtureRequest) -> str:
    return os.environ.get("LABCTL_TEST_LAB") or str(request.getfixturevalue("lab").name)


def holdings(lab: str) -> set[str]:
    """Everything in the cloud that a demo could have made, as "kind name id"."""
    clouds_yaml = platformdirs.user_state_path("labctl") / "labs" / lab / "clouds.yaml"
    admin, user = connect(clouds_yaml, f"{lab}-admin"), connect(clouds_yaml, lab)
    kinds: dict[str, Any] = {
        "server": admin.compute.servers(all_projects=True),
        "flavor": admin.compute.flavors(),
        "keypair": user.compute.keypairs(),
        "server group": admin.compute.server_groups(all_projects=True),
        "image": admin.image.images(),
        "network": admin.network.networks(),
        "subnet": admin.network.subnets(),
        "router": admin.network.routers(),
        "port": admin.network.ports(),
        "floating ip": admin.network.ips(),
        "security group": user.network.security_groups(),
        "security group rule": user.network.security_group_rules(),
    }
    return {f"{kind} {one.name} {one.id}" for kind, things in kinds.items() for one in things}


def demo(lab: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "labctl.cli.main", "demo", "--name", lab, *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def test_the_demo_works_and_leaves_nothing(lab_name: str, tmp_path: Path) -> None:
    # A project's default security group comes with the first look at it; it is no trace of the demo.
    before = holdings(lab_name)
    picture = tmp_path / "console.png"
    ran = demo(lab_name, "--progress", "json", "--console", str(picture))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    result = json.loads(ran.stdout.splitlines()[-1])
    assert result["guests"]
    assert len({guest["node"] for guest in result["guests"]}) == len(result["guests"])
    assert len(result["crossings"]) == len(result["guests"]) - 1
    assert result["seconds_to_ssh"] <= SSH_SECONDS
    with Image.open(picture) as image:
        assert len(image.getcolors(1 << 24) or ()) > 1
    assert holdings(lab_name) == before


def test_two_demos_at_a_time_do_not_clash(lab_name: str, tmp_path: Path) -> None:
    before = holdings(lab_name)
    command = [sys.executable, "-m", "labctl.cli.main", "demo", "--name", lab_name, "--progress", "plain"]
    running = [
        subprocess.Popen(
            [*command, "--console", str(tmp_path / f"{number}.png")],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(2)
    ]
    for one in running:
        said, _ = one.communicate(timeout=600)
        assert one.returncode == 0, said
    assert holdings(lab_name) == before
