"""The Jinja2 environment that all templates of the catalog are rendered in."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from labctl.errors import BadInput


@cache
def templates_of(folder: Path) -> "Templates":
    """The templates of a folder: compiled once, however often a command renders them."""
    return Templates(folder)


class Templates:
    """Templates of one data folder of the catalog.

    Args:
        folder: Where they are; templates may import each other by their path below it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )

    def render(self, name: str, **values: Any) -> str:
        """Renders one template.

        Args:
            name: Its path below the folder.
            values: What it may use; a name that is not among them is an error.

        Raises:
            BadInput: The template is wrong; with file and line.
        """
        try:
            return self._environment.get_template(name).render(**values)
        except TemplateSyntaxError as error:
            raise BadInput(f"{self._folder / (error.name or name)}:{error.lineno}: {error.message}") from None
        except TemplateError as error:
            raise BadInput(f"{self._folder / name}:{line_in_template(error, name)}: {error.message}") from None


def line_in_template(error: TemplateError, name: str) -> int:
    """The innermost line of the template in an error's traceback; 0 where there is none."""
    line, trace = 0, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename.endswith(name):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
