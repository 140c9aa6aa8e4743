"""The command line: one file for each verb; errors become messages and exit codes here and nowhere else."""

import os
import signal
import sys
import traceback
from typing import Annotated, NoReturn

import typer

from labctl import __version__
from labctl.cli.build import build
from labctl.cli.demo import demo
from labctl.cli.down import down
from labctl.cli.engine import engine_app
from labctl.cli.lock import lock
from labctl.cli.openrc import openrc
from labctl.cli.openstack import openstack
from labctl.cli.services import exec_, logs
from labctl.cli.status import list_, status
from labctl.cli.up import up
from labctl.errors import INTERRUPTED, LabctlError

PASS_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}

app = typer.Typer(
    help="Two commands and a laptop has a real OpenStack: `labctl build`, `labctl up`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(build)
app.command()(up)
app.command()(demo)
app.command()(status)
app.command("list")(list_)
app.command()(logs)
app.command("exec", context_settings={"allow_interspersed_args": False})(exec_)
app.command(context_settings=PASS_ON)(openstack)
app.command()(openrc)
app.command()(down)
app.command()(lock)
app.add_typer(engine_app, name="engine")


def show_version(wanted: bool) -> None:
    """Prints the version and ends, when asked to."""
    if wanted:
        typer.echo(f"labctl {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Two commands and a laptop has a real OpenStack: `labctl build`, `labctl up`."""


def run() -> NoReturn:
    """The entry point: runs the command line and ends the process with a stable exit code."""
    signal.signal(signal.SIGTERM, interrupted)
    try:
        app(standalone_mode=False)
    except LabctlError as error:
        sys.exit(show(error))
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("Interrupted.", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        sys.exit(show_other(error))
    sys.exit(0)


def interrupted(*_: object) -> NoReturn:
    """SIGTERM ends labctl as Ctrl-C does: child processes first, nothing half-written."""
    raise KeyboardInterrupt


def show(error: LabctlError) -> int:
    """Shows a user's error; returns its exit code."""
    from rich.console import Console

    from labctl.ui.errors import show_error

    show_error(error, Console(stderr=True))
    return error.exit_code


def show_other(error: Exception) -> int:
    """Shows click's own errors as click does, and anything else as the bug that it is; returns the exit code."""
    import click

    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    typer.echo(f"labctl has a bug: {type(error).__name__}: {error}", err=True)
    if os.environ.get("LABCTL_DEBUG"):
        traceback.print_exception(error)
    else:
        typer.echo("LABCTL_DEBUG=1 shows where; please report it.", err=True)
    return 1
