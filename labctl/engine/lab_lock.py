"""The one way to a lab that is going to be changed: nobody else is at work on it, and it is this user's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import docker

from labctl.engine.remains import remains_of
from labctl.errors import NotYours
from labctl.events import Emit, Note
from labctl.lab.locks import Holder, locked
from labctl.lab.owner import Owner, this_user


@contextmanager
def lab_lock(client: docker.DockerClient, lab: str, emit: Emit, *, adopt: bool = False) -> Iterator[None]:
    """Holds a lab's lock, to change the lab.

    Args:
        client: The engine.
        lab: The lab; there need not be one.
        emit: Told whom it waits for.
        adopt: Whether the lab may be another user's.

    Raises:
        NotYours: It is another user's.
    """
    tell = teller(emit, f"the lab {lab!r}")

    def on_wait(holder: Holder) -> None:
        refuse_others(client, lab, adopt=adopt)
        tell(holder)

    with locked(f"lab-{lab}", on_wait):
        refuse_others(client, lab, adopt=adopt)
        yield


def teller(emit: Emit, what: str) -> Callable[[Holder], None]:
    """Makes the function that tells whom labctl waits for."""
    return lambda holder: emit(Note(f"Waiting for {holder.user}'s process {holder.process}, which works on {what}."))


def refuse_others(client: docker.DockerClient, lab: str, *, adopt: bool = False) -> None:
    """Refuses a lab of another user's.

    Args:
        client: The engine.
        lab: The lab; there need not be one.
        adopt: Whether it may be another user's.

    Raises:
        NotYours: It is.
    """
    owner = other_owner(client, lab)
    if owner and not adopt:
        raise NotYours(
            f"The lab {lab!r} belongs to another user of this machine: {owner}.",
            evidence=[f"you are {this_user()}"],
            remedy="Give yours another name (`--name`). `labctl down --adopt` removes this one all the same; "
            "`labctl up --adopt` does, and makes yours in its place.",
        )


def other_owner(client: docker.DockerClient, lab: str) -> Owner | None:
    """The user whose a lab is; None where it is this user's, nobody's, or not there."""
    owner = remains_of(client, lab).owner
    return owner if owner != this_user() else None
