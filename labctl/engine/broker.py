"""The message broker of a lab, asked while it runs, without the seconds that rabbitmqctl takes to start."""

import re

from labctl.engine.process import run
from labctl.errors import BringUpFailed

BROKER = "rabbitmq"
"""The service, and its volume."""

# What rabbitmqctl would send. erl_call(1) takes the cookie from the home folder.
# The second argument of delete: only where nobody takes messages from the queue.
EMPTY = b'[rabbit_amqqueue:delete(Queue, true, false, <<"labctl">>) || Queue <- rabbit_amqqueue:list()], emptied.\n'
DONE = "{ok, emptied}"
PERMISSIONS = b'[[{Right, proplists:get_value(Right, One)} || Right <- [configure, write, read]] || \
One <- rabbit_auth_backend_internal:list_user_permissions(<<"%s">>)].\n'


def empty_broker(container: str) -> None:
    """Deletes the queues that no service is connected to, with their messages; who connects declares its own.

    Args:
        container: The container of the broker.

    Raises:
        CommandFailed: The broker does not answer.
        BringUpFailed: It did something else.
    """
    answer = _evaluate(container, EMPTY)
    if answer.strip() != DONE:
        raise BringUpFailed("The broker could not be emptied.", evidence=answer.splitlines())


def broker_permissions(container: str, user: str) -> dict[str, str]:
    """What a user may do with the broker.

    Args:
        container: The container of the broker.
        user: The user.

    Returns:
        configure, write, read to the pattern of names that it may do that with; empty where it may do nothing.

    Raises:
        CommandFailed: The broker does not answer.
    """
    answer = _evaluate(container, PERMISSIONS % user.encode())
    # erl_call writes a binary as its bytes: #Bin<46,42> is ".*".
    found = re.findall(r"\{(configure|write|read),\s*#Bin<([\d,]*)>\}", answer)
    return {right: bytes(map(int, filter(None, pattern.split(",")))).decode() for right, pattern in found}


def _evaluate(container: str, expression: bytes) -> str:
    """What an Erlang expression comes to in the broker's own process."""
    command = ["erl_call", "-sname", "rabbit@localhost", "-timeout", "10", "-e"]
    return run(["docker", "exec", "--interactive", container, *command], input=expression).stdout
