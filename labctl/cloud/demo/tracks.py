"""Pieces of the demo that run side by side, and end together."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from types import TracebackType
from typing import TypeVar

from labctl.cloud.waiting import WaitCancelled

T = TypeVar("T")

_AT_ONCE = 16
"""Threads. A piece waits only for pieces that were started before it, so a full pool delays but never locks up."""


class Tracks:
    """Starts pieces of work in threads; the first failure calls off the waiting of all others.

    Only threads talk to the cloud, so Ctrl-C, which Python raises in the main thread, cuts off no request: the pieces
    end at their next look, and what they made is written down by then.

    Attributes:
        cancelled: Set at the first failure, or when the `with` block is left by an exception.
    """

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="demo")
        self._lock = threading.Lock()
        self._failure: BaseException | None = None

    def __enter__(self) -> "Tracks":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.cancelled.set()
        self._pool.shutdown(wait=True, cancel_futures=error is not None)

    def start(self, work: Callable[[], T]) -> "Future[T]":
        """Starts a piece of work now."""
        return self._pool.submit(self._guarded, work)

    def join(self, future: "Future[T]") -> T:
        """Waits for a piece of work.

        Returns:
            What it returned.

        Raises:
            BaseException: The failure that came first, in this piece or in another one.
        """
        try:
            return future.result()
        except (WaitCancelled, CancelledError):
            if self._failure is not None:
                raise self._failure from None
            raise

    def _guarded(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except BaseException as error:
            with self._lock:
                if self._failure is None and not isinstance(error, WaitCancelled):
                    self._failure = error
            self.cancelled.set()
            raise
