import threading
import time

import pytest

from labctl.cloud.demo.tracks import Tracks
from labctl.cloud.waiting import Pending, wait_until
from labctl.errors import CloudCheckFailed


def fail() -> None:
    raise CloudCheckFailed("the cause")


def test_pieces_run_side_by_side_and_wait_for_each_other() -> None:
    both = threading.Barrier(2, timeout=5)
    with Tracks() as tracks:
        one = tracks.start(lambda: both.wait() >= 0)
        two = tracks.start(lambda: both.wait() >= 0)
        three = tracks.start(lambda: tracks.join(one) and tracks.join(two))
        assert tracks.join(three) is True


def test_the_first_failure_calls_off_the_others_and_is_what_is_seen() -> None:
    def run() -> None:
        with Tracks() as tracks:
            waiting = tracks.start(
                lambda: wait_until(lambda: Pending("no"), "ever", timeout=60, interval=30, cancelled=tracks.cancelled)
            )
            tracks.start(fail)
            tracks.join(waiting)

    begin = time.monotonic()
    with pytest.raises(CloudCheckFailed, match="the cause"):
        run()
    assert time.monotonic() - begin < 10


def test_a_failure_reaches_those_that_depend_on_it() -> None:
    def run() -> None:
        with Tracks() as tracks:
            broken = tracks.start(fail)
            tracks.join(tracks.start(lambda: tracks.join(broken)))

    with pytest.raises(CloudCheckFailed, match="the cause"):
        run()


def test_an_interrupt_in_the_main_thread_ends_all_waiting() -> None:
    ended: list[str] = []
    looked = threading.Event()

    def piece(cancelled: threading.Event) -> None:
        def look() -> Pending:
            looked.set()
            return Pending("no")

        try:
            wait_until(look, "ever", timeout=60, interval=30, cancelled=cancelled)
        finally:
            ended.append("piece")

    def interrupted() -> None:
        with Tracks() as tracks:
            tracks.start(lambda: piece(tracks.cancelled))
            looked.wait(5)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ended == ["piece"]
