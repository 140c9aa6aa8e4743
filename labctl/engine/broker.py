"""The message broker of a lab, emptied while it runs: a bring-up waits for its start longer than for anything else."""

from labctl.engine.process import run
from labctl.errors import BringUpFailed

# What rabbitmqctl would send, without the seconds that it needs to start. erl_call(1) takes the cookie from the home
# folder.
EMPTY = b'[rabbit_amqqueue:delete(Queue, false, false, <<"labctl">>) || Queue <- rabbit_amqqueue:list()], emptied.\n'
DONE = "{ok, emptied}"


def empty_broker(container: str) -> None:
    """Deletes all queues with their messages; services declare theirs when they connect.

    Args:
        container: The container of the broker.

    Raises:
        CommandFailed: The broker does not answer.
        BringUpFailed: It did something else.
    """
    command = ["erl_call", "-sname", "rabbit@localhost", "-timeout", "10", "-e"]
    answer = run(["docker", "exec", "--interactive", container, *command], input=EMPTY)
    if answer.stdout.strip() != DONE:
        raise BringUpFailed("The broker could not be emptied.", evidence=answer.stdout.splitlines())
