"""Shows an error to a person: what failed, the evidence, what to do."""

from rich.console import Console
from rich.text import Text

from labctl.errors import LabctlError
from labctl.ui.printable import show


def show_error(error: LabctlError, console: Console) -> None:
    """Prints an error. Its lines are never wrapped or cut: they are meant to be copied.

    Args:
        error: What failed.
        console: Where; standard error.
    """
    text = Text.assemble(("Error: ", "bold red"), (error.what, "bold"))
    for line in error.evidence:
        text.append(f"\n    {line}")
    if error.remedy:
        text.append("\nWhat to do: ", "bold")
        text.append(error.remedy)
    show(console, text)
