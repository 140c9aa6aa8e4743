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


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("write /data/volumes/x: no space left on device", "Make room"),
        ("a name is in use", "Remove what is in its way"),
    ],
)
def test_what_the_engine_refuses_is_no_bug(said: str, remedy: str) -> None:
    answer = fail(f"""
    import docker.errors
    raise docker.errors.APIError("500 Server Error", explanation="{said}")""")
    assert answer.returncode == errors.EngineRefused.exit_code
    assert said in answer.stderr
    assert remedy in answer.stderr
    assert "Traceback" not in answer.stderr


def test_an_engine_that_goes_away_is_no_bug() -> None:
    answer = fail("import requests; raise requests.ConnectionError('Connection refused')")
    assert answer.returncode == errors.EngineUnavailable.exit_code
    assert "stopped answering" in answer.stderr


def test_without_a_command_it_is_the_help(ask: Ask) -> None:
    answer = ask()
    assert answer.code in (0, 2)
    assert "has a bug" not in answer.stderr
