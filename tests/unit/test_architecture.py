"""The arrows of docs/architecture.md point down only: import-linter's contracts in pyproject.toml hold."""

import sys
from pathlib import Path

from labctl.engine.process import run

ROOT = Path(__file__).parents[2]


def test_contracts_are_kept() -> None:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    checked = run([sys.executable, "-c", program], cwd=ROOT, check=False)
    assert checked.exit_code == 0, checked.stdout + checked.stderr
