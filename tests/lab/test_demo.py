"""`labctl demo` against a real lab."""

import json
import subprocess
from pathlib import Path
from typing import Any

from PIL import Image

from labctl.cloud.connection import connect
from tests.lab.commands import LABCTL, labctl
from tests.lab.conftest import Lab
from tests.lab.figures import artifacts, measured

SSH_LIMIT = 25.0


def holdings(lab: Lab) -> set[str]:
    """Everything in the cloud that a demo could have made, as "kind name id"."""
    clouds_yaml = lab.state.clouds_yaml
    admin, user = connect(clouds_yaml, f"{lab.name}-admin"), connect(clouds_yaml, lab.name)
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
    found = {f"{kind} {one.name} {one.id}" for kind, things in kinds.items() for one in things}
    for connection in (admin, user):
        connection.session.session.close()
        connection.close()
    return found


def test_the_demo_works_and_leaves_nothing(lab: Lab) -> None:
    # A project's default security group comes with the first look at it; it is no trace of the demo.
    before = holdings(lab)
    picture = artifacts() / "console.png"
    ran = labctl("demo", "--name", lab.name, "--progress", "json", "--console", str(picture))
    assert ran.code == 0, str(ran)
    result = json.loads(ran.out.splitlines()[-1])
    assert len(result["guests"]) == lab.nodes
    assert len({guest["node"] for guest in result["guests"]}) == lab.nodes
    assert len(result["crossings"]) == lab.nodes - 1
    with Image.open(picture) as image:
        assert len(image.getcolors(1 << 24) or ()) > 1
    assert holdings(lab) == before
    measured("labctl demo to ACTIVE, one server on each node, image not cached", result["seconds_to_active"], "s")
    measured("labctl demo to ssh over the floating IP", result["seconds_to_ssh"], "s", SSH_LIMIT)


def test_two_demos_at_a_time_do_not_clash(lab: Lab, tmp_path: Path) -> None:
    before = holdings(lab)
    command = [str(LABCTL), "demo", "--name", lab.name, "--progress", "plain"]
    running = [
        subprocess.Popen(
            [*command, "--console", str(tmp_path / f"{number}.png")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for number in range(2)
    ]
    ended = [(one.communicate(timeout=600)[0], one.returncode) for one in running]
    assert [code for _, code in ended] == [0, 0], "\n\n".join(said for said, _ in ended)
    assert holdings(lab) == before
