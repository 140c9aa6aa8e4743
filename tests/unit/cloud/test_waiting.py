import threading

import pytest

from labctl.cloud.waiting import Pending, WaitCancelled, wait_until
from labctl.errors import CloudCheckFailed


def test_the_first_answer_that_is_not_pending_is_returned() -> None:
    answers = iter([Pending("BUILD"), Pending("BUILD"), "ACTIVE"])
    assert wait_until(lambda: next(answers), "the server", timeout=5, interval=0.001) == "ACTIVE"


@pytest.mark.parametrize("answer", [None, 0, "", False, ()])
def test_an_answer_may_be_false(answer: object) -> None:
    assert wait_until(lambda: answer, "it", timeout=1, interval=0.001) == answer


def test_the_error_tells_what_was_seen_last_and_what_to_do() -> None:
    answers = iter(Pending(f"progress {n}") for n in range(10_000))
    with pytest.raises(CloudCheckFailed) as caught:
        wait_until(
            lambda: next(answers), "the guest", 0.02, 0.001, remedy="look there", evidence=lambda: ["console: panic"]
        )
    assert caught.value.what == "Waited 0.02 s for the guest in vain."
    assert caught.value.evidence[0].startswith("last seen: progress ")
    assert caught.value.evidence[0] != "last seen: progress 0"
    assert caught.value.evidence[1:] == ("console: panic",)
    assert caught.value.remedy == "look there"


def test_a_wait_without_time_looks_once() -> None:
    assert wait_until(lambda: 1, "it", timeout=0, interval=1) == 1


def test_what_the_predicate_raises_is_not_waited_away() -> None:
    looks: list[int] = []

    def look() -> int | Pending:
        looks.append(1)
        raise CloudCheckFailed("ERROR")

    with pytest.raises(CloudCheckFailed, match="ERROR"):
        wait_until(look, "it", timeout=5, interval=0.001)
    assert len(looks) == 1


def test_cancelling_ends_the_wait_within_the_interval() -> None:
    cancelled = threading.Event()
    looked = threading.Event()

    def look() -> Pending:
        looked.set()
        return Pending("no")

    def cancel() -> None:
        looked.wait(5)
        cancelled.set()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(WaitCancelled):
        wait_until(look, "it", timeout=60, interval=50, cancelled=cancelled)
    thread.join()
