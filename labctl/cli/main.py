"""The command line: one file for each verb; errors become messages and exit codes here and nowhere else."""

import os
import signal
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from labctl import __version__
from labctl.cli.audit import audit
from labctl.cli.build import build
from labctl.cli.ca import ca
from labctl.cli.config import config_app
from labctl.cli.demo import demo
from labctl.cli.dev import dev
from labctl.cli.doctor import doctor
from labctl.cli.down import down
from labctl.cli.engine import engine_app
from labctl.cli.explain import explain
from labctl.cli.fault import fault_app
from labctl.cli.lock import lock
from labctl.cli.node import node_app
from labctl.cli.openrc import openrc
from labctl.cli.openstack import openstack
from labctl.cli.prune import prune
from labctl.cli.reset import reset
from labctl.cli.scale import scale
from labctl.cli.services import exec_, logs
from labctl.cli.snapshot import snapshot_app
from labctl.cli.status import list_, status
from labctl.cli.stop import start, stop
from labctl.cli.trace import trace
from labctl.cli.up import up
from labctl.cli.verify import verify
from labctl.errors import INTERRUPTED, LabctlError
from labctl.ui.printable import say

PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}

app = typer.Typer(
    help="Two commands and a laptop has a real OpenStack: `labctl build`, `labctl up`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(build)
app.command()(up)
app.command()(demo)
app.command()(doctor)
app.command()(explain)
app.command()(trace)
app.add_typer(fault_app, name="fault")
app.command()(verify)
app.command()(dev)
app.command()(status)
app.command("list")(list_)
app.command()(logs)
app.command("exec", context_settings={"allow_interspersed_args": False})(exec_)
app.command(context_settings=PASS_ON)(openstack)
app.command()(openrc)
app.command()(ca)
app.command()(scale)
app.add_typer(node_app, name="node")
app.add_typer(snapshot_app, name="snapshot")
app.command()(reset)
app.command()(stop)
app.command()(start)
app.command()(down)
app.command()(prune)
app.command()(lock)
app.command()(audit)
app.add_typer(config_app, name="config")
app.add_typer(engine_app, name="engine")


def show_version(wanted: bool) -> None:
    """Prints the version and ends, when asked to."""
    if wanted:
        say(f"labctl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Two commands and a laptop has a real OpenStack: `labctl build`, `labctl up`."""


def run() -> NoReturn:
    """The entry point: runs the command line and ends the process with a stable exit code.

    Usage errors and the exit codes of programs that labctl runs for the user are typer's business; it leaves errors of
    labctl itself alone.
    """
    signal.signal(signal.SIGTERM, interrupted)
    try:
        app(prog_name="labctl")
    except LabctlError as error:
        sys.exit(show(error))
    except KeyboardInterrupt:
        sys.exit(say_interrupted())
    except SystemExit as end:
        # typer turns Ctrl-C into this exit code, without a word.
        sys.exit(say_interrupted() if end.code == INTERRUPTED else end.code)
    except Exception as error:
        sys.exit(show_unforeseen(error))
    sys.exit(0)


def say_interrupted() -> int:
    """Says that the user ended it; returns the exit code."""
    say("Interrupted.", err=True)
    return INTERRUPTED


def interrupted(*_: object) -> NoReturn:
    """SIGTERM ends labctl as Ctrl-C does: child processes first, nothing half-written."""
    raise KeyboardInterrupt


def show(error: LabctlError) -> int:
    """Shows a user's error; returns its exit code."""
    from rich.console import Console

    from labctl.ui.errors import show_error

    show_error(error, Console(stderr=True))
    return error.exit_code


def show_unforeseen(error: Exception) -> int:
    """Shows what no command expected: the engine failed in the middle of its work, or labctl has a bug."""
    from labctl.engine.refusal import understood

    meant = understood(error)
    return show(meant) if meant else show_bug(error)


def show_bug(error: Exception) -> int:
    """Shows what nobody foresaw; returns the exit code."""
    say(f"labctl has a bug: {type(error).__name__}: {error}", err=True)
    if os.environ.get("LABCTL_DEBUG"):
        traceback.print_exception(error)
    else:
        say("LABCTL_DEBUG=1 shows where; please report it.", err=True)
    return 1
