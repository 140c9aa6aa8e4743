"""The one way to wait for the cloud: ask, and ask again until it is so or the time is over."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import tenacity

from labctl.errors import CloudCheckFailed

T = TypeVar("T")


@dataclass(frozen=True)
class Pending:
    """Not yet.

    Attributes:
        observation: What was seen instead; the last one is the evidence when the wait runs out.
    """

    observation: str


class WaitCancelled(Exception):  # noqa: N818 - not an error: somebody else's failure, or Ctrl-C, ended the wait
    """The wait was called off through its event."""


def _no_evidence() -> Sequence[str]:
    return ()


def wait_until(
    predicate: Callable[[], T | Pending],
    what: str,
    timeout: float,
    interval: float,
    *,
    remedy: str = "",
    cancelled: threading.Event | None = None,
    evidence: Callable[[], Sequence[str]] = _no_evidence,
) -> T:
    """Asks until the answer is not Pending.

    Args:
        predicate: Looks once. Whatever it raises ends the wait at once.
        what: What is waited for, as the object of "waited for": "the server to become ACTIVE".
        timeout: Seconds after which no further look is taken; at least one is.
        interval: Seconds between two looks.
        remedy: Goes into the error.
        cancelled: Ends the wait when set, without the rest of the interval.
        evidence: Called when the wait has run out, for lines to add to the last observation.

    Returns:
        The first answer that is not Pending.

    Raises:
        CloudCheckFailed: The time is over.
        WaitCancelled: The event was set.
    """
    event = cancelled or threading.Event()

    def look() -> T | Pending:
        if event.is_set():
            raise WaitCancelled(f"called off while waiting for {what}")
        return predicate()

    answer = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda value: isinstance(value, Pending)),
        stop=tenacity.stop_after_delay(timeout),
        wait=tenacity.wait_fixed(interval),
        sleep=tenacity.sleep_using_event(event),
        retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
    )(look)
    if isinstance(answer, Pending):
        raise CloudCheckFailed(
            f"Waited {timeout:g} s for {what} in vain.",
            evidence=(f"last seen: {answer.observation}", *evidence()),
            remedy=remedy,
        )
    return answer
