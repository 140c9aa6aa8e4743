"""Files: written so that none is ever half there, and read so that none, whoever made it, can do harm by what it is."""

import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from labctl.errors import BadInput


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
    private_folder(path.parent)
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


def private_folder(folder: Path) -> Path:
    """Makes a folder, and those above it that are missing, each for this user alone; the mode of others stays."""
    if not folder.is_dir():
        # `parents=True` would give those above it the mode that everybody's folders have.
        private_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def make_folder(folder: Path, mode: int) -> None:
    """Makes a folder whose files have this mode: whoever may read them may enter it."""
    private_folder(folder)
    folder.chmod(0o700 | mode | (mode & 0o444) >> 2)


def permissions(content: bytes, mode: int) -> int:
    """The mode, with execution for everyone who may read where the content is a script."""
    return mode | (mode & 0o444) >> 2 if content.startswith(b"#!") else mode


def is_private(path: Path) -> bool:
    """Whether a file is there, for its user alone."""
    return path.is_file() and not path.stat().st_mode & 0o077


def is_file(path: Path) -> bool:
    """Whether there is such a regular file, for any text that somebody gave as its name."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long; a NUL, half of a pair of surrogates
        return False


def is_folder(path: Path) -> bool:
    """Whether there is such a folder, for any text that somebody gave as its name."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that anybody may have made, without waiting for one that is none: a pipe, a device, a folder.

    Raises:
        BadInput: It cannot be opened, or is no regular file.
    """
    try:
        # Whoever opens a pipe would wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise unreadable(path, why or str(error)) from None
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise unreadable(path, "Is a directory" if stat.S_ISDIR(mode) else "it is no regular file")
    with os.fdopen(handle, "rb") as file:
        yield file


def read_regular(path: Path, limit: int) -> bytes:
    """Reads a file that anybody may have made.

    Args:
        path: The file.
        limit: The bytes that it may have.

    Raises:
        BadInput: It cannot be read, is no regular file, or is larger.
    """
    with open_regular(path) as file:
        try:
            content = file.read(limit + 1)
        except OSError as error:
            raise unreadable(path, error.strerror or str(error)) from None
    if len(content) > limit:
        raise unreadable(path, f"it has more than {limit} bytes")
    return content


def unreadable(path: Path, why: str) -> BadInput:
    """What is said of a file that is not read."""
    name = str(path)
    short = name if len(name) <= 200 else f"{name[:200]}..."
    return BadInput(f"{short} cannot be read", evidence=[why], remedy="Check the name of the file.")
