"""Exit codes: usage errors, interruptions, programs that labctl runs for the user."""

import pytest
from test_command_line import Ask, ask, errors, fail

__all__ = ["ask"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("up", "--nodez", "3"), "--nodez"),
        (("up", "--nodes", "three"), "--nodes"),
        (("bulid",), "bulid"),
        (("logs",), "service"),
        (("build", "--jobs", "0"), "--jobs"),
        (("build", "--progress", "loud"), "loud"),
        (("engine", "restart"), "restart"),
    ],
)
def test_a_mistake_in_the_command_line_is_named_and_is_exit_code_2(
    ask: Ask, arguments: tuple[str, ...], named: str
) -> None:
    answer = ask(*arguments)
    assert answer.code == 2
    assert named in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interruption_is_short_and_has_the_shells_exit_code(name: str) -> None:
    answer = fail(f"import os, signal, time; os.kill(os.getpid(), signal.{name}); time.sleep(20)")
    assert answer.returncode == errors.INTERRUPTED
    assert answer.stderr.strip() == "Interrupted."


@pytest.mark.parametrize("code", [0, 5, 130])
def test_the_exit_code_of_a_program_that_was_run_is_labctls_own(code: int) -> None:
    assert fail(f"import typer; raise typer.Exit({code})").returncode == code


def test_without_a_command_it_is_the_help(ask: Ask) -> None:
    answer = ask()
    assert answer.code in (0, 2)
    assert "has a bug" not in answer.stderr
