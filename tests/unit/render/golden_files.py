"""Compares rendered files with those kept in tests/unit/render/golden/; rewrites them when asked to."""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path

from labctl.files import write_folder

GOLDEN = Path(__file__).parent / "golden"
UPDATE = "LABCTL_UPDATE_GOLDEN"


def assert_golden(name: str, files: Mapping[str, bytes]) -> None:
    """Fails with a unified diff where rendered files are not those of golden/NAME/."""
    folder = GOLDEN / name
    if os.environ.get(UPDATE) == "1":
        write_folder(folder, files, mode=0o644)
    kept = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    lines: list[str] = []
    for path in sorted({*kept, *files}):
        before, after = kept.get(path, b"").decode(), files.get(path, b"").decode()
        lines += difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"golden/{name}/{path}", f"rendered {path}", lineterm="", n=1
        )
        if path not in files or path not in kept:
            lines.append(f"{path}: {'not rendered any more' if path in kept else 'new'}")
    assert not lines, "\n".join([f"{UPDATE}=1 rewrites the golden files; read their diff afterwards.", *lines])
    assert kept == dict(files), "files differ in their line ends alone"
