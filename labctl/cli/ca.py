"""`labctl ca`."""

from typing import Annotated

import typer


def ca(
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
) -> None:
    """Print the certificate of a lab's authority, for who shall trust it: `labctl ca > ca.pem`."""
    from labctl.cli.lookup import find_lab, lab_file
    from labctl.errors import NotFound
    from labctl.lab.authority import authority_certificate
    from labctl.lab.secrets import read_secrets
    from labctl.render.lab import AUTHORITY

    state = find_lab(name)
    turn_on = f"`labctl up --name {state.name} --tls` has it use TLS."
    authority = read_secrets(state.secrets).values.get(AUTHORITY)
    if authority is None:
        raise NotFound(f"The lab {state.name!r} has no certificate authority.", remedy=turn_on)
    typer.echo(authority_certificate(authority), nl=False)
    if not lab_file(state).tls:
        typer.echo(f"No API of the lab {state.name!r} uses it: it has no TLS. {turn_on}", err=True)
