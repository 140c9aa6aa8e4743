"""Workers have about the same to do, and a class stays whole."""

import re
from pathlib import Path

import pytest
import yaml
from verify_examples import BOOT, LIST, SCENARIO, STOP, TESTS

from labctl.verify.results import Result, Status
from labctl.verify.workers import AROUND_SECONDS, learn, load_durations, measure, share, worker_file


def test_the_longest_class_has_a_worker_of_its_own() -> None:
    shares = share((BOOT, STOP, LIST, SCENARIO), 2, {LIST.name: 60.0})
    assert shares == ((LIST.class_name,), (BOOT.class_name, SCENARIO.class_name))


def test_what_a_class_takes_besides_its_tests_counts() -> None:
    shares = share((BOOT, LIST, SCENARIO), 2, {BOOT.class_name: 30.0})
    assert shares == ((BOOT.class_name,), (LIST.class_name, SCENARIO.class_name))


def test_a_worker_without_a_class_is_left_out() -> None:
    assert share((BOOT, STOP), 3, {}) == ((BOOT.class_name,),)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_each_test_is_one_workers(workers: int) -> None:
    described = yaml.safe_load(worker_file(share(TESTS, workers, {})))
    patterns = [pattern for worker in described for pattern in worker["worker"]]
    assert all(sum(re.search(pattern, test.id) is not None for pattern in patterns) == 1 for test in TESTS)


def test_a_class_whose_name_begins_as_anothers_is_not_meant() -> None:
    (worker,) = yaml.safe_load(worker_file([["tempest.api.x.ServersTest"]]))
    assert not any(re.search(pattern, "tempest.api.x.ServersTestJSON.test_y[id-a]") for pattern in worker["worker"])


def test_the_pause_before_the_first_test_of_a_class_is_what_the_class_takes() -> None:
    results = [
        Result(LIST.id, Status.PASSED, began=100.0, seconds=4.0, worker="worker-0"),
        Result(BOOT.id, Status.PASSED, began=112.0, seconds=7.0, worker="worker-0"),
        Result(STOP.id, Status.PASSED, began=125.0, seconds=0.1, worker="worker-0"),
        Result(SCENARIO.id, Status.PASSED, began=101.0, seconds=9.0, worker="worker-1"),
    ]
    tests = {LIST.name: 4.0, BOOT.name: 7.0, STOP.name: 0.1, SCENARIO.name: 9.0}
    assert measure(results) == {BOOT.class_name: 8.0, **tests}


def test_a_run_is_remembered(tmp_path: Path) -> None:
    learned = tmp_path / "durations.json"
    learn(learned, [Result(LIST.id, Status.PASSED, began=100.0, seconds=4.0, worker="worker-0")])
    learn(learned, [Result(BOOT.id, Status.PASSED, began=100.0, seconds=5.0, worker="worker-0")])
    assert {LIST.name: 4.0, BOOT.name: 5.0}.items() <= load_durations(learned).items()


def test_what_has_become_fast_is_known_to_be(tmp_path: Path) -> None:
    learned = tmp_path / "durations.json"
    for seconds in (9.0, 0.2):
        learn(learned, [Result(LIST.id, Status.PASSED, began=100.0, seconds=seconds, worker="worker-0")])
    assert load_durations(learned)[LIST.name] == 0.2


def test_what_was_always_fast_is_not_remembered(tmp_path: Path) -> None:
    learned = tmp_path / "durations.json"
    learn(learned, [Result(LIST.id, Status.PASSED, began=100.0, seconds=0.2, worker="worker-0")])
    assert LIST.name not in load_durations(learned)


def test_a_broken_memory_is_none(tmp_path: Path) -> None:
    learned = tmp_path / "durations.json"
    learned.write_text("{")
    assert load_durations(learned) == load_durations(tmp_path / "nothing")


def test_labctl_comes_with_what_is_slow() -> None:
    durations = load_durations(Path("nothing"))
    assert (
        durations["tempest.scenario.test_network_basic_ops.TestNetworkBasicOps.test_network_basic_ops"] > AROUND_SECONDS
    )
