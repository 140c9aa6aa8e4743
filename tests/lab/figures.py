"""Measured figures: kept in one file, shown at the end of a run, and held to the limits of the project.

Sizes do not depend on who else works on the machine and are always held to their limit. Times do: a laptop with a
browser and a build beside the tests is no failure of labctl. They are held to their limits only where
LABCTL_FIGURES=assert says that the machine does nothing else, as .ci/run does.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Figure:
    value: float
    unit: str
    limit: float | None

    def __str__(self) -> str:
        limit = "" if self.limit is None else f" (limit {self.limit:g})"
        return f"{self.value:.2f} {self.unit}{limit}"


MEASURED: dict[str, Figure] = {}
"""What this run has measured, by name."""


def artifacts() -> Path:
    """Where figures, snapshots and pictures go."""
    folder = Path(os.environ.get("LABCTL_ARTIFACTS") or ROOT / "artifacts")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def measured(name: str, value: float, unit: str, limit: float | None = None) -> None:
    """Keeps a figure, and holds it to its limit where LABCTL_FIGURES=assert."""
    figure = Figure(round(value, 3), unit, limit)
    MEASURED[name] = figure
    kept = {key: vars(one) for key, one in MEASURED.items()}
    (artifacts() / "figures.json").write_text(json.dumps(kept, indent=2) + "\n")
    if limit is not None and os.environ.get("LABCTL_FIGURES") == "assert":
        assert value <= limit, f"{name}: {figure}"


def counted(name: str, value: float, unit: str, limit: float) -> None:
    """Keeps a figure that is the same on every machine, and holds it to its limit."""
    measured(name, value, unit, limit)
    assert value <= limit, f"{name}: {MEASURED[name]}"
