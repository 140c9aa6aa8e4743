"""The guest's image in glance: uploaded only when it is not there."""

import hashlib

from labctl.cloud.connection import api_errors
from labctl.cloud.demo.cleanup import Kind
from labctl.cloud.demo.context import Context
from labctl.errors import BadInput, CloudCheckFailed
from labctl.events import step

_TEMPORARY = "labctl-demo-temporary"


def image(context: Context) -> str:
    """Takes the image that is there, or uploads the guest as a public image.

    An image that another run will remove at its end is not taken, though it is the same: it could go any moment.

    Returns:
        The image's id.

    Raises:
        BadInput: The guest's file cannot be read.
        CloudCheckFailed: The API refused, or what arrived is not what was sent.
    """
    guest = context.target.guest
    with step(context.emit, "Image (admin)") as evidence:
        try:
            with guest.path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha512").hexdigest()
            size = guest.path.stat().st_size
        except OSError as error:
            raise BadInput(
                f"The guest image {guest.path} cannot be read.",
                evidence=(str(error),),
                remedy="Build it: `labctl build guest`.",
            ) from error
        with api_errors(f"look for the image {guest.name}"):
            there = [
                one
                for one in context.admin.image.images(name=guest.name, status="active")
                if one.hash_value == digest and one.visibility == "public" and _TEMPORARY not in one.tags
            ]
        if there:
            evidence.text = f"{guest.name} was there already, sha512 {digest[:12]}"
            return str(there[0].id)
        identifier = _upload(context, digest)
        evidence.text = f"{guest.name}: {size / 1e6:.1f} MB, sha512 {digest[:12]}"
        return identifier


def _upload(context: Context, digest: str) -> str:
    guest = context.target.guest
    tag = context.intend(Kind.IMAGE, "image")
    with api_errors(f"upload the image {guest.name}"), guest.path.open("rb") as file:
        made = context.admin.image.create_image(
            guest.name,
            data=file,
            disk_format=guest.disk_format,
            container_format="bare",
            tags=[tag] if context.keep else [tag, _TEMPORARY],
            allow_duplicates=True,
            meta={"visibility": "public", "min_ram": guest.min_ram, **guest.properties},
        )
        stored = context.admin.image.get_image(made.id)
    if stored.status != "active" or stored.hash_value != digest:
        raise CloudCheckFailed(
            f"The image {guest.name} did not arrive in glance as it was sent.",
            evidence=(
                f"status {stored.status}",
                f"{stored.hash_algo} there {stored.hash_value}",
                f"sha512 here {digest}",
            ),
            remedy="`labctl logs` of glance-api says what became of the upload.",
        )
    return str(stored.id)
