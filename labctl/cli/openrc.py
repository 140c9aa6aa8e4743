"""`labctl openrc`."""

import shlex
from typing import Annotated

import typer

from labctl.ui.printable import say


def openrc(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    admin: Annotated[bool, typer.Option("--admin", help="As admin; else as the user demo.")] = False,
    clouds_yaml: Annotated[
        bool, typer.Option("--clouds-yaml", help="Print the clouds.yaml entry instead of shell exports.")
    ] = False,
) -> None:
    """Print shell exports for OpenStack clients: `eval $(labctl openrc)`."""
    from labctl.cli.lookup import find_lab

    state = find_lab(name)
    if clouds_yaml:
        say(state.clouds_yaml.read_text(), nl=False)
        return
    cloud = f"{state.name}-admin" if admin else state.name
    say(f"export OS_CLIENT_CONFIG_FILE={shlex.quote(str(state.clouds_yaml))}")
    say(f"export OS_CLOUD={cloud}")
