"""Fixes are commands; one that fails does not keep the others."""

from pathlib import Path

from labctl.doctor.fix import apply
from labctl.findings import Fix


def test_commands_are_run(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    fixes = (Fix("a", ("touch", str(first))), Fix("b", ("false",)), Fix("c", ("touch", str(second))))
    applied = tuple(apply(fixes))
    assert first.exists()
    assert second.exists()
    assert [bool(one.refusal) for one in applied] == [False, True, False]
