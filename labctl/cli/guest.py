"""The guest image that a lab boots."""

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labctl.cloud.demo.target import GuestImage
    from labctl.lab.file import LabFile


def guest_image(lab: "LabFile") -> "GuestImage":
    """The guest of the lab file, else the one that `labctl build` made."""
    from labctl.build.guest import export_guest, other_guest
    from labctl.build.naming import naming
    from labctl.cloud.demo.target import GuestImage
    from labctl.lab.state import cache_root
    from labctl.ui import Progress, listener

    cache = cache_root() / "guests"
    if lab.guest:
        with listener(Progress.PLAIN, sys.stderr) as emit:
            guest = other_guest(lab.guest, lab.guest_user, lab.guest_sha256, cache, emit)
    else:
        guest = export_guest(naming(lab.release).reference("guest"), cache)
    return GuestImage(guest.name, guest.path, guest.user, guest.min_ram, guest.disk_format, properties=guest.properties)
