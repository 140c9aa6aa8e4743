import json
import subprocess
import sys
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

from labctl.cli.demo import as_json, as_text
from labctl.cloud.demo.target import DemoResult, GuestReport, Kept

GUEST = GuestReport("demo-1", "node1", IPv4Address("172.16.1.5"), IPv4Address("203.0.113.105"), 21.5, 1.3)
RESULT = DemoResult(
    guests=(GUEST,),
    seconds_to_active=5.5,
    seconds_to_ssh=21.5,
    seconds=24.0,
    crossings=("demo-1 -> demo-2 (172.16.1.9): round-trip 1 ms",),
    console_tail=("booting", "demo-1 login:"),
    console_png=Path("/x/console.png"),
)


def test_a_person_reads_what_counts() -> None:
    text = as_text(RESULT)
    for part in ("203.0.113.105", "node1", "21.5 s", "demo-1 -> demo-2", "/x/console.png", "demo-1 login:", "removed"):
        assert part in text


def test_what_was_kept_is_told_instead_of_a_removal() -> None:
    kept = Kept(Path("/x/id_ed25519"), ("ssh -i /x/id_ed25519 lab@203.0.113.105",), "http://console", ("router r",))
    text = as_text(replace(RESULT, kept=kept))
    assert "has been removed" not in text
    for part in (kept.ssh_commands[0], kept.console_url, "router r"):
        assert part in text


def test_a_program_reads_json() -> None:
    read = json.loads(as_json(RESULT))
    assert read["guests"][0]["floating_ip"] == "203.0.113.105"
    assert read["seconds_to_ssh"] == 21.5
    assert read["kept"] is None


def test_the_command_line_does_not_load_openstacksdk() -> None:
    program = "import sys, labctl.cli.demo, labctl.cloud.demo.target as t; sys.exit('openstack' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
