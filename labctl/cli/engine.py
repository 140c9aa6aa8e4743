"""`labctl engine`: the Docker engine of machines with no init system."""

import os
import sys
from pathlib import Path
from typing import NoReturn

import typer

from labctl.ui.printable import say

engine_app = typer.Typer(
    help="Look at the Docker engine; start and stop it where no init system does.", no_args_is_help=True
)


@engine_app.command()
def status() -> None:
    """Show the engine that labctl uses: version, storage, cgroups, how it was started, plugins."""
    from labctl.engine import daemon

    found = daemon.status()
    lines = {
        "engine": f"{found.version} at {found.where.host} (context {found.where.context})",
        "storage driver": found.storage_driver,
        "cgroups": f"v{found.cgroup_version}",
        "root directory": str(found.root),
        "started": found.started,
        "compose": found.plugins.compose or "missing",
        "buildx": found.plugins.buildx or "missing",
    }
    for name, value in lines.items():
        say(f"{name + ':':<16}{value}")


@engine_app.command()
def start() -> None:
    """Start the engine and wait until it answers. Does nothing where it runs."""
    from labctl.engine import daemon
    from labctl.engine.init import systemd_runs
    from labctl.events import step
    from labctl.ui import Progress, listener

    _refuse_others()
    mine = daemon.Daemon()
    if mine.pid() is not None or mine.answers():
        say("The Docker engine runs already.")
        return
    if systemd_runs():
        _replace_by(["systemctl", "start", "docker"])
    if os.geteuid() != 0:
        _replace_by(_this_command())
    with listener(Progress.AUTO, sys.stderr) as emit, step(emit, "start the Docker engine") as evidence:
        evidence.text = f"process {daemon.start(mine)}, log {mine.log}"


@engine_app.command()
def stop() -> None:
    """Stop the engine, and with it every container that it runs."""
    from labctl.engine import daemon
    from labctl.engine.init import systemd_runs
    from labctl.events import step
    from labctl.ui import Progress, listener

    _refuse_others()
    if systemd_runs():
        # The socket unit would start it again at the next request.
        _replace_by(["systemctl", "stop", "docker.socket", "docker.service"])
    mine = daemon.Daemon()
    if mine.pid() is None and not mine.answers():
        say("The Docker engine does not run.")
        return
    if os.geteuid() != 0:
        _replace_by(_this_command())
    with listener(Progress.AUTO, sys.stderr) as emit, step(emit, "stop the Docker engine"):
        daemon.stop(mine)


def _refuse_others() -> None:
    """Ends the command where DOCKER_HOST or the context points to another engine than this machine's own."""
    from labctl.engine.endpoint import endpoint
    from labctl.errors import EngineUnavailable

    where = endpoint()
    if not where.is_default:
        raise EngineUnavailable(
            "The docker command uses another engine than this machine's own",
            evidence=[f"context {where.context}: {where.host}"],
            remedy="Unset DOCKER_HOST, or run `docker context use default`, to use the machine's own.",
        )


def _this_command() -> list[str]:
    # -B: root must not leave bytecode in the folders of whoever runs this.
    return [sys.executable, "-B", str(Path(sys.argv[0]).resolve()), *sys.argv[1:]]


def _replace_by(argv: list[str]) -> NoReturn:
    """Runs a command as root on this terminal and ends with its exit code."""
    import shutil

    from labctl.engine.process import interactive
    from labctl.errors import EngineUnavailable

    if os.geteuid() != 0:
        if shutil.which("sudo") is None:
            raise EngineUnavailable("This needs root, and there is no sudo here", remedy="Run it as root.")
        argv = ["sudo", *argv]
    raise typer.Exit(interactive(argv))
