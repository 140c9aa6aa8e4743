"""The subprocess door, with real programs."""

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from labctl.cloud.waiting import Pending, wait_until
from labctl.engine.process import (
    CommandFailed,
    end_group,
    interactive,
    run,
    start_detached,
    stream,
)
from labctl.lab.locks import Holder, locked


def sh(script: str) -> list[str]:
    return ["sh", "-c", script]


def is_alive(pid: int) -> bool:
    """Whether a process is there and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_run_collects_output_and_exit_code() -> None:
    done = run(sh("echo out; echo err >&2; exit 3"), check=False)
    assert (done.exit_code, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert 0 < done.seconds < 10


def test_run_gives_input_environment_and_folder(tmp_path: Path) -> None:
    done = run(sh('cat; echo "$LABCTL_TEST:$PWD:${PATH:+path}"'), input=b"in\n", env={"LABCTL_TEST": "1"}, cwd=tmp_path)
    assert done.stdout == f"in\n1:{tmp_path}:path\n"


def test_run_reads_nothing_without_input() -> None:
    assert run(["cat"]).stdout == ""


def test_run_replaces_what_is_not_utf_8() -> None:
    assert run(["printf", "\\377"]).stdout == "\N{REPLACEMENT CHARACTER}"


def test_a_failed_command_can_be_pasted_and_shows_its_last_lines(tmp_path: Path) -> None:
    script = "i=0; while [ $i -lt 30 ]; do echo line $i >&2; i=$((i+1)); done; exit 4"
    with pytest.raises(CommandFailed) as caught:
        run(sh(script), cwd=tmp_path, env={"PASSWORD": "secret"})
    assert caught.value.what == "sh failed with exit code 4"
    assert caught.value.evidence[0] == f"$ cd {tmp_path} && sh -c '{script}'"
    assert caught.value.evidence[1:] == tuple(f"line {number}" for number in range(10, 30))
    assert caught.value.completed.exit_code == 4


def test_standard_output_is_the_evidence_where_standard_error_is_empty() -> None:
    with pytest.raises(CommandFailed) as caught:
        run(sh("echo only this; exit 1"))
    assert caught.value.evidence[1:] == ("only this",)


def test_a_signal_is_named() -> None:
    with pytest.raises(CommandFailed, match="was ended by SIGKILL"):
        run(sh("kill -9 $$"))


def test_a_program_that_is_not_there() -> None:
    for call in (lambda: run(["labctl-no-such"]), lambda: stream(["labctl-no-such"], print)):
        with pytest.raises(CommandFailed, match="is not installed, or not in PATH") as caught:
            call()
        assert caught.value.completed.exit_code == 127


def test_a_folder_that_is_not_there_is_not_taken_for_the_program(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="could not be started"):
        run(["true"], cwd=tmp_path / "gone")


def test_a_time_out_ends_the_whole_group(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with pytest.raises(CommandFailed, match="did not end within") as caught:
        run(sh(f"echo begun; sleep 600 & echo $! > {pid_file}; wait"), timeout=0.5)
    assert caught.value.evidence[1:] == ("begun",)
    assert not is_alive(int(pid_file.read_text()))


def test_stream_merges_both_outputs_and_keeps_an_unfinished_line() -> None:
    lines: list[str] = []
    assert stream(sh("echo a; echo b >&2; printf 'c\\r\\nd'; exit 5"), lines.append) == 5
    assert lines == ["a", "b", "c", "d"]


def test_stream_can_keep_the_outputs_apart() -> None:
    out: list[str] = []
    err: list[str] = []
    assert stream(sh("echo a; echo b >&2; echo; echo c"), out.append, on_error_line=err.append) == 0
    assert (out, err) == (["a", "", "c"], ["b"])


def test_a_program_that_says_no_more_is_ended_when_it_is_over() -> None:
    lines: list[str] = []
    assert stream(sh("echo $$; exec sleep 600"), lines.append, is_over=lambda: bool(lines)) == -signal.SIGTERM
    assert not is_alive(int(lines[0]))


def test_a_program_that_is_never_over_is_read_to_its_end() -> None:
    lines: list[str] = []
    assert stream(sh("echo a; echo b; exit 3"), lines.append, is_over=lambda: False) == 3
    assert lines == ["a", "b"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_a_callback_raises_ends_the_group(error: type[BaseException]) -> None:
    pids: list[int] = []

    def interrupt(line: str) -> None:
        pids.append(int(line))
        raise error

    with pytest.raises(error):
        stream(sh("sleep 600 & echo $!; wait"), interrupt)
    assert not is_alive(pids[0])


def test_ctrl_c_reaches_labctl_alone_and_ends_the_command_in_order(tmp_path: Path) -> None:
    """A labctl of its own gets SIGINT, as from a terminal; the command writes which signals came to it."""
    seen = tmp_path / "seen"
    command = (
        f"trap 'echo INT >> {seen}' INT; trap 'echo TERM >> {seen}; exit' TERM; echo ready; while :; do sleep 1; done"
    )
    program = (
        "import sys\n"
        "from labctl.engine.process import stream\n"
        "try:\n"
        "    stream(['sh', '-c', sys.argv[1]], lambda line: print(line, flush=True))\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, command], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as labctl:
        assert labctl.stdout is not None
        assert labctl.stdout.readline() == "ready\n"
        os.killpg(labctl.pid, signal.SIGINT)
        assert labctl.stdout.readline() == "interrupted\n"
        assert labctl.wait() == 0
    assert seen.read_text() == "TERM\n"


def test_what_ignores_sigterm_is_killed() -> None:
    with subprocess.Popen(
        sh("trap '' TERM; echo ready; while :; do sleep 1; done"), process_group=0, stdout=-1
    ) as stubborn:
        assert stubborn.stdout is not None
        assert stubborn.stdout.readline() == b"ready\n"
        end_group(stubborn, grace=0.2)
        assert stubborn.returncode == -signal.SIGKILL


def test_interactive_hands_on_the_exit_code() -> None:
    assert interactive(sh('exit "$CODE"'), env={"CODE": "7"}) == 7
    with pytest.raises(CommandFailed, match="is not installed"):
        interactive(["labctl-no-such"])


def test_a_detached_program_has_its_own_session_and_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    pid = start_detached(sh("echo out; echo err >&2; ps -o sid= -p $$"), log=log)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert log.read_text().split() == ["out", "err", str(pid)]
    with pytest.raises(CommandFailed, match="is not installed"):
        start_detached(["labctl-no-such"], log=log)


HOLDER_WITH_CHILD = """
import sys
from labctl.engine.process import stream
from labctl.lab.locks import locked
with locked(sys.argv[2]):
    # Compose is a child of docker: the kernel ends docker with labctl, and not what docker started.
    script = 'echo $$; sh -c "echo \\$\\$; read line < $0" & wait'
    stream(["sh", "-c", script, sys.argv[1]], lambda line: print(line, flush=True))
"""


def test_a_program_that_outlives_a_killed_labctl_goes_on_holding_the_lab(
    tmp_path: Path,
) -> None:
    name = f"test-{uuid.uuid4().hex}"
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER_WITH_CHILD, str(gate), name], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        child, grandchild = int(holder.stdout.readline()), int(holder.stdout.readline())
        holder.kill()
        holder.wait(10)
    wait_until(lambda: not is_alive(child) or Pending("alive"), "the child to end", 10, 0.05)
    assert is_alive(grandchild)
    waited: list[int] = []

    def let_it_end(found: Holder) -> None:
        waited.append(found.process)
        if len(waited) == 1:
            gate.write_text("go\n")  # the grandchild reads this and ends

    # Waits until it has; the kernel closes its files a moment before it is gone.
    with locked(name, let_it_end):
        assert waited[0] == holder.pid
        wait_until(lambda: not is_alive(grandchild) or Pending("alive"), "the grandchild to be gone", 10, 0.05)
