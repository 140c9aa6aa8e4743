"""Whose a lab is: the engine knows, whose labels all its users see. State folders are each user's own."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from labctl.engine.labels import LAB_LABEL
from labctl.lab.owner import Owner, owner_of_folder, parse_owner, this_user

OWNER_LABEL = "org.labctl.owner"
WORKING_FOLDER_LABEL = "com.docker.compose.project.working_dir"
"""Compose's own label: the folder of the Compose file."""

Labels = Mapping[str, str]


def labels_of_lab(lab: str) -> dict[str, str]:
    """The labels of what labctl makes of a lab of this user's, beside Compose."""
    return {LAB_LABEL: lab, OWNER_LABEL: this_user().label}


def owner_of(things: Iterable[Labels | None]) -> Owner | None:
    """Whose a lab is.

    Args:
        things: The labels of all that the engine has of it.

    Returns:
        Where several are told, as after a removal that was interrupted, one that is not this user. None where nothing
        tells.
    """
    me = this_user()
    told = {owner for labels in things if (owner := read_owner(labels or {}))}
    return min(told, key=lambda owner: (owner == me, owner.uid)) if told else None


def read_owner(labels: Labels) -> Owner | None:
    """Whose something of a lab is; None where its labels do not tell.

    A labctl that did not label so yet told by the folder: that of the rendered files is in the lab's folder, which is
    its owner's.
    """
    if OWNER_LABEL in labels:
        return parse_owner(labels[OWNER_LABEL])
    folder = labels.get(WORKING_FOLDER_LABEL, "")
    return owner_of_folder(Path(folder).parent) if folder.startswith("/") else None
