"""Writing files so that none is ever half there."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_file(path: Path, content: bytes, mode: int = 0o600) -> bool:
    """Writes a file in one step: readers see the old content or the new one.

    Args:
        path: The file; folders above it are made, private to this user.
        content: What it shall hold.
        mode: Its permissions.

    Returns:
        Whether anything changed.
    """
    if path.is_file() and path.read_bytes() == content and path.stat().st_mode & 0o7777 == mode:
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(mode)
        Path(temporary).rename(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True


def write_folder(folder: Path, files: Mapping[str, bytes], mode: int = 0o600) -> tuple[str, ...]:
    """Makes a folder hold exactly these files; what did not change is not touched.

    Args:
        folder: The folder.
        files: Path below it to content.
        mode: Permissions of the files; scripts (`#!`) can be executed by whoever can read them.

    Returns:
        The paths that were written or removed.
    """
    for below in sorted({parent for name in files for parent in Path(name).parents}):
        make_folder(folder / below, mode)
    changed = [
        name for name, content in files.items() if write_file(folder / name, content, permissions(content, mode))
    ]
    for path in sorted(folder.rglob("*"), reverse=True):
        name = str(path.relative_to(folder))
        if path.is_file() and name not in files:
            path.unlink()
            changed.append(name)
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return tuple(changed)


def make_folder(folder: Path, mode: int) -> None:
    """Makes a folder whose files have this mode: whoever may read them may enter it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700 | mode | (mode & 0o444) >> 2)


def permissions(content: bytes, mode: int) -> int:
    """The mode, with execution for everyone who may read where the content is a script."""
    return mode | (mode & 0o444) >> 2 if content.startswith(b"#!") else mode


def is_private(path: Path) -> bool:
    """Whether a file is there, for its user alone."""
    return path.is_file() and not path.stat().st_mode & 0o077
