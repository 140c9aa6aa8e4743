"""Names: what a lab may be called, and the nearest valid name for one that is not valid."""

import difflib
import re
from collections.abc import Iterable
from typing import NewType

from labctl.errors import BadInput

LabName = NewType("LabName", str)
"""The name of a lab, of which `is_lab_name` holds: it may be part of a path, a control group, a command."""

LAB_NAME_ALLOWED = "1 to 30 of a-z, 0-9 and -, starting with a letter and not ending in -"
"""What `is_lab_name` accepts, for people."""

# Container names are NAME-SERVICE and the Compose project is labctl-NAME: a name is a DNS label, short enough for both.
_LAB_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?")


def nearest(name: str, candidates: Iterable[str]) -> str:
    """Says which valid name is nearest to a wrong one.

    Args:
        name: What was given.
        candidates: The valid names.

    Returns:
        "did you mean 'x'?", or "" when nothing is near.
    """
    by_folded = {candidate.casefold(): candidate for candidate in sorted(candidates)}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return f"did you mean '{by_folded[near[0]]}'?" if near else ""


def is_lab_name(text: str) -> bool:
    """Tells whether a lab may have this name."""
    return _LAB_NAME.fullmatch(text) is not None


def lab_name(text: str) -> LabName | None:
    """Takes the name of a lab from where anybody may have written it, such as a label; None where it is none."""
    return LabName(text) if is_lab_name(text) else None


def parse_lab_name(text: str) -> LabName:
    """Takes a lab's name from a command line.

    Args:
        text: What was given.

    Returns:
        The same text.

    Raises:
        BadInput: No lab can have that name.
    """
    if is_lab_name(text):
        return LabName(text)
    folded = re.sub(r"[^a-z0-9]+", "-", text.lower()).lstrip("-0123456789")[:30].rstrip("-")
    raise BadInput(
        f"'{text[:60]}' cannot be the name of a lab",
        evidence=[f"allowed: {LAB_NAME_ALLOWED}"],
        remedy=f"Take another name, for example '{folded}'." if folded else "Take another name.",
    )


def node_folders(lab: str) -> str:
    """The machine's folder with one folder for each node of a lab, which the node's containers share.

    Below /run, so that a boot of the machine empties it: what it holds (namespaces, terminals, libvirt's knowledge of
    the guests that run) is true until then.
    """
    return f"/run/labctl/{parse_lab_name(lab)}"


def filter_table(lab: str) -> str:
    """The lab's own table in the machine's packet filter."""
    return f"labctl-{lab}"


def guest_group(lab: str) -> str:
    """The control group of a lab's guests, which has one for each node in it."""
    return f"labctl/{parse_lab_name(lab)}"
