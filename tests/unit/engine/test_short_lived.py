"""What labctl runs in containers of its own is limited."""

import re
from pathlib import Path

import labctl
from labctl.engine.short_lived import docker_run

PACKAGE = Path(labctl.__file__).parent


def test_a_short_lived_container_has_limits_and_goes() -> None:
    assert docker_run("--network", "none") == [
        *("docker", "run", "--rm", "--memory", "2g", "--pids-limit", "4096", "--network", "none")
    ]


def test_nothing_runs_a_container_in_another_way() -> None:
    """Those that are only made, to look into a volume or an image, never run."""
    begin = re.compile(r"""["']docker["'],\s*["']run["']|docker\.run\(|containers\.(run|start)\(|api\.start\(""")
    found = {path.name for path in PACKAGE.rglob("*.py") if begin.search(path.read_text())}
    assert found == {"short_lived.py"}
