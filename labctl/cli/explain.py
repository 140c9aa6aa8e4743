"""`labctl explain`: why a server or a request failed."""

from typing import Annotated

import typer

from labctl.ui.printable import say


def explain(
    asked: Annotated[
        str,
        typer.Argument(metavar="ERROR|REQUEST|SERVER", help="A server's name or id, or a text with a request id."),
    ],
    name: Annotated[str | None, typer.Option("--name", help="The lab; needed when there are several.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what says nothing about the cause, and whole tracebacks.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object, with everything.")] = False,
) -> None:
    """Tell why a server or a request failed: the first cause, then all services' logs of it in order of time."""
    from rich.console import Console

    from labctl.cli.lookup import docker_engine, find_lab, lab_file
    from labctl.explain.gather import explain as find_story
    from labctl.ui.explain import as_json as story_as_json
    from labctl.ui.explain import show_story

    lab = lab_file(find_lab(name))
    with docker_engine() as client:
        story = find_story(client, lab, asked)
    if as_json:
        say(story_as_json(story))
    else:
        show_story(story, Console(), everything)
