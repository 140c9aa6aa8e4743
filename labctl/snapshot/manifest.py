"""What a snapshot says of itself. Pure.

A snapshot is a volume with copies of the lab's volumes, and this, in the lab's state folder, written last: without it
there is no snapshot. It holds the lab's secrets, so that a machine which has nothing of the lab can bring it up.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from labctl.errors import BadInput
from labctl.lab.file import LabFile
from labctl.lab.secrets import misfits
from labctl.yaml_input import load_yaml

FORMAT = 1
NEWEST_FORMAT = 1000
"""What is said to be of a later format is no snapshot."""

MOST_BYTES = 1 << 20
"""Of a manifest: a lab file, secrets, a line for each image and volume."""

MOST_SHOWN = 10
"""Mistakes of a manifest that are shown."""

NAME_ALLOWED = "1 to 40 of a-z, A-Z, 0-9, dot, - and _, starting with a letter or digit"
"""What `parse_snapshot_name` accepts, for people."""

_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9._-]{0,39}")


def _check_secrets(values: dict[str, str]) -> dict[str, str]:
    if misfits(values):
        raise ValueError("not of their kinds")
    return values


# Whoever made the snapshot wrote these; they become names of files and volumes, arguments, and what is rendered.
SnapshotName = Annotated[str, StringConstraints(pattern=rf"^(?:{_NAME.pattern})?$")]
"""Empty for a checkpoint."""
Version = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z.+-]{1,40}$")]
Reference = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._/:-]{0,250}$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2,64}$")]
VolumeKey = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,100}$")]
Bytes = Annotated[int, Field(ge=0, lt=2**50, strict=True)]


class Manifest(BaseModel):
    """A snapshot. Everything in one is checked against what it can be: it may be a stranger's.

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
    name: SnapshotName
    made: datetime
    labctl: Version
    lab: LabFile
    images: dict[Reference, Digest]
    uid: Annotated[int, Field(ge=1, lt=2**31, strict=True)]
    volumes: dict[VolumeKey, Bytes]
    secrets: Annotated[dict[str, str], AfterValidator(_check_secrets)] = Field(repr=False)
    birth: Annotated[str, StringConstraints(pattern=r"^[0-9a-f-]{0,36}$")] = ""

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
        values = load_yaml(text)
        stated = values.get("format") if isinstance(values, Mapping) else None
        if isinstance(stated, int) and FORMAT < stated < NEWEST_FORMAT:
            raise BadInput(
                f"{where} has the format {stated}, and this labctl knows format {FORMAT}.",
                remedy="Take the labctl that made it.",
            )
        return Manifest.model_validate(values)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = f"line {mark.line + 1}: {error.problem}" if mark else "it is no YAML"  # type: ignore[attr-defined]
        raise BadInput(f"{where} is no snapshot of labctl's.", evidence=[why]) from None
    except ValidationError as error:
        # Where, and not what is there: some values are secrets.
        places = [".".join(map(str, one["loc"]))[:100] for one in error.errors(include_input=False)]
        lines = [f"{place or 'the whole'} is not what labctl writes" for place in places[:MOST_SHOWN]]
        raise BadInput(f"{where} is no snapshot of labctl's.", evidence=lines) from None


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
