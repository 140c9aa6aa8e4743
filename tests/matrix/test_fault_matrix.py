"""Every fault that labctl can make is named: fault by fault, made in a lab that is well, named, mended, well again.

A test leaves the lab well, so the next begins with one that is.
"""

import pytest

from labctl.fault.fault import TRACE, Fault, Where
from labctl.fault.faults import ALL
from labctl.fault.record import read_injected
from tests.matrix.bench import Bench

OF_A_NODE = (Where.NODE, Where.COMPUTE)


@pytest.mark.parametrize("fault", [one for one in ALL if not one.verdict.startswith(TRACE)], ids=lambda one: one.id)
def test_the_doctor_names_it(bench: Bench, fault: Fault) -> None:
    try:
        node = bench.inject(fault)
        evidence = bench.wait_for(fault.verdict)
    finally:
        bench.clear()
    assert read_injected(bench.state) == ()
    assert fault.where not in OF_A_NODE or any(node in line for line in evidence), evidence
    bench.wait_until_well()


@pytest.mark.parametrize("fault", [one for one in ALL if one.verdict.startswith(TRACE)], ids=lambda one: one.id)
def test_the_way_of_a_packet_names_it(bench: Bench, fault: Fault) -> None:
    try:
        bench.inject(fault)
        cause = bench.cause_of_death()
    finally:
        bench.clear()
    assert cause == fault.verdict.removeprefix(TRACE)
    bench.wait_until_well()
    bench.wait_until_reached()
