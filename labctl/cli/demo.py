"""`labctl demo`: the tour through a lab's cloud."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from labctl.ui import Progress
from labctl.ui.printable import say

if TYPE_CHECKING:
    from labctl.cloud.demo.target import DemoResult


def demo(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave all that was made standing, also after a failure.")
    ] = False,
    console: Annotated[
        Path | None, typer.Option("--console", help="Where the picture of the console goes; default: the lab's folder.")
    ] = None,
    progress: Annotated[Progress, typer.Option("--progress", help="How progress is shown.")] = Progress.AUTO,
) -> None:
    """Boot a server on every node, log in to it over its floating IP, look at its console, and remove it all."""
    from labctl.cli.lookup import demo_target, host_ping, refuse_anothers
    from labctl.cloud.demo.run import run_demo
    from labctl.lab.state import LabState
    from labctl.ui import listener

    target = demo_target(name)
    refuse_anothers(target.lab)
    folder = LabState(target.lab).folder / "demo"
    with listener(progress, sys.stderr) as emit:
        result = run_demo(
            target,
            ping=host_ping(target.lab),
            emit=emit,
            console_png=console or folder / "console.png",
            keep_in=folder if keep else None,
        )
    say(as_json(result) if progress is Progress.JSON else as_text(result))


def as_json(result: "DemoResult") -> str:
    """The result as one JSON object; addresses and paths are strings, times are seconds."""
    import json
    from dataclasses import asdict

    return json.dumps(asdict(result), default=str)


def as_text(result: "DemoResult") -> str:
    """The result for a person."""
    lines = [
        f"{guest.name} on {guest.node}: {guest.fixed_ip}, floating IP {guest.floating_ip}, "
        f"ping {guest.ping_ms:.1f} ms, ssh {guest.seconds_to_ssh:.1f} s after the start"
        for guest in result.guests
    ]
    lines += result.crossings
    lines.append(
        f"ACTIVE {result.seconds_to_active:.1f} s after the request, all checks done in {result.seconds:.1f} s"
    )
    lines.append(f"picture of the console: {result.console_png}")
    lines.append("console log ends with:")
    lines += [f"    {line}" for line in result.console_tail[-5:]]
    if result.kept is None:
        lines.append("Everything that was made has been removed.")
        return "\n".join(lines)
    lines += ["Kept, until the lab is removed:", *(f"    {made}" for made in result.kept.names)]
    lines += [*result.kept.ssh_commands, f"console, for the next ten minutes: {result.kept.console_url}"]
    return "\n".join(lines)
