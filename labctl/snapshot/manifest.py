"""What a snapshot says of itself. Pure.

A snapshot is a volume with copies of the lab's volumes, and this, in the lab's state folder, written last: without it
there is no snapshot. It holds the lab's secrets, so that a machine which has nothing of the lab can bring it up.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from labctl.errors import BadInput
from labctl.lab.file import LabFile

FORMAT = 1

NAME_ALLOWED = "1 to 40 of a-z, A-Z, 0-9, dot, - and _, starting with a letter or digit"
"""What `parse_snapshot_name` accepts, for people."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,39}")


class Manifest(BaseModel):
    """A snapshot.

    Attributes:
        format: The format of this and of the volume.
        name: The snapshot's name.
        made: When.
        labctl: The version of labctl that made it.
        lab: The lab file, every value filled in.
        images: Reference of an image that the lab ran to the digest of what it held (`labctl.engine.images`).
        uid: The user that the lab's services ran as, whose files the volumes hold.
        volumes: Volume, by its name in the Compose file, to the bytes that it takes.
        secrets: The lab's secrets.
        birth: That of its databases (`labctl.bringup.birth`); empty where they have none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    name: str
    made: datetime
    labctl: str
    lab: LabFile
    images: dict[str, str]
    uid: int
    volumes: dict[str, int]
    secrets: dict[str, str] = Field(repr=False)
    birth: str = ""

    @property
    def size(self) -> int:
        """The bytes that its data takes."""
        return sum(self.volumes.values())


def dump_manifest(manifest: Manifest) -> bytes:
    """Writes it; `load_manifest` reads it back."""
    return yaml.safe_dump(manifest.model_dump(mode="json", by_alias=True), sort_keys=False).encode()


def load_manifest(text: bytes, where: str) -> Manifest:
    """Reads what `dump_manifest` wrote.

    Args:
        text: Its content.
        where: What it was read from, for people.

    Raises:
        BadInput: It is none, or one of a newer labctl.
    """
    try:
        values = yaml.safe_load(text)
        if isinstance(values, Mapping) and values.get("format", FORMAT) != FORMAT:
            raise BadInput(
                f"{where} has the format {values['format']}, and this labctl knows format {FORMAT}.",
                remedy="Take the labctl that made it.",
            )
        return Manifest.model_validate(values)
    except (yaml.YAMLError, ValidationError) as error:
        # The error of the validation shows values, and some of these are secrets.
        raise BadInput(f"{where} is no snapshot of labctl's.", evidence=[type(error).__name__]) from None


def parse_snapshot_name(text: str) -> str:
    """Takes a snapshot's name from a command line.

    Raises:
        BadInput: No snapshot can have that name.
    """
    if not _NAME.fullmatch(text):
        raise BadInput(f"{text!r} cannot be the name of a snapshot.", evidence=[f"allowed: {NAME_ALLOWED}"])
    return text


def differing_images(made_by: Mapping[str, str], there: Mapping[str, str]) -> tuple[str, ...]:
    """The images, by reference, that hold something else than those that a snapshot was made by.

    Args:
        made_by: `Manifest.images`.
        there: Reference to digest of those that there are; others count as different.
    """
    return tuple(sorted(name for name, digest in made_by.items() if there.get(name) != digest))
