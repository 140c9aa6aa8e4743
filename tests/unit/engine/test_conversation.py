"""Talking with a program line by line, and with a watcher: here one without a network namespace of its own."""

import sys
from importlib.resources import files

import pytest

from labctl.engine import lookout
from labctl.engine.process import CommandFailed, conversation

ECHO = "import sys, json\nfor line in sys.stdin: print(json.dumps([json.loads(line)]), flush=True)"
DIES = "import sys; sys.stdin.readline(); sys.exit('the disk is full')"


def test_each_line_is_answered_in_order() -> None:
    with conversation([sys.executable, "-c", ECHO]) as talk:
        assert [talk.ask({"number": number}) for number in range(3)] == [[{"number": number}] for number in range(3)]


def test_a_program_that_ends_in_the_middle_says_why() -> None:
    with pytest.raises(CommandFailed) as failed, conversation([sys.executable, "-c", DIES]) as talk:
        talk.ask("anything")
    assert failed.value.completed.exit_code == 1
    assert "the disk is full" in failed.value.evidence
    assert failed.value.completed.argv[0] == sys.executable


def test_a_program_that_is_not_there() -> None:
    with pytest.raises(CommandFailed), conversation(["labctl-is-no-such-program"]):
        pass


def test_a_watcher_reads_its_program_from_its_input_and_goes_on_with_orders() -> None:
    program = (files(lookout) / "watcher.py").read_text()
    with conversation([sys.executable, "-c", lookout.READ_PROGRAM]) as talk:
        talk.say(f"{len(program)}\n{program}")
        assert talk.ask({"do": "look", "namespaces": ["labctl-no-such-namespace"]}) == {"namespaces": {}}
        assert talk.ask({"do": "watch", "points": [], "marks": []}) == {"missing": []}
        assert talk.ask({"do": "stop"}) == {"frames": [], "lost": {}}


def test_what_a_kernel_refuses_is_told() -> None:
    program = (files(lookout) / "watcher.py").read_text()
    with conversation([sys.executable, "-c", lookout.READ_PROGRAM]) as talk:
        talk.say(f"{len(program)}\n{program}")
        answer = talk.ask({"do": "send", "namespace": "labctl-no-such-namespace", "tap": "tap0", "frames": []})
        assert "No such file" in answer["error"]
