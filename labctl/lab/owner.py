"""Who a lab belongs to: the user of this machine who made it, as the lab's labels tell it."""

import os
import pwd
import re
from dataclasses import dataclass, field
from pathlib import Path

# Of user names as login programs and directories have them (useradd(8), systemd's USER_NAMES), and nothing that a
# terminal would act on: a label is anybody's text.
_LABEL = re.compile(r"(?P<uid>[0-9]{1,10}):(?P<name>[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\$?)", re.ASCII)


@dataclass(frozen=True)
class Owner:
    """A user.

    Attributes:
        uid: What tells one from another.
        name: What people call him; empty where nobody knows.
    """

    uid: int
    name: str = field(default="", compare=False)

    @property
    def label(self) -> str:
        """As a label has it."""
        return f"{self.uid}:{self.name or self.uid}"

    def __str__(self) -> str:
        return self.name or (f"uid {self.uid}" if self.uid >= 0 else "somebody whom its labels do not tell")


UNREADABLE = Owner(-1)
"""Of a label that no labctl writes: nobody here."""


def user(uid: int) -> Owner:
    """The user of a uid on this machine."""
    try:
        return Owner(uid, pwd.getpwuid(uid).pw_name)
    except KeyError:
        return Owner(uid)


def this_user() -> Owner:
    """Who runs labctl; root where it was started with sudo, whose labs are root's."""
    return user(os.geteuid())


def parse_owner(label: str) -> Owner:
    """Reads a label."""
    found = _LABEL.fullmatch(label)
    return Owner(int(found["uid"]), found["name"]) if found else UNREADABLE


def owner_of_folder(folder: Path) -> Owner | None:
    """Whose a folder is; where this user may not look at it, whose the nearest one above it is that he may.

    Returns:
        None where there is no such folder.
    """
    for path in (folder, *folder.parents):
        try:
            return user(path.stat().st_uid)
        except PermissionError:
            continue
        except (OSError, ValueError):
            return None
    return None
