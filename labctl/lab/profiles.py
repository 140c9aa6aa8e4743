"""The profiles of a lab: those that were asked for, and what the lab file's settings need. Pure."""

from collections.abc import Collection, Iterable

from labctl.catalog.profile import Profiles
from labctl.errors import BadInput
from labctl.lab.file import LabFile, with_values
from labctl.lab.names import nearest


def check_profiles(lab: LabFile, known: Profiles) -> None:
    """Refuses a lab with profiles that there are not, or with settings that need a profile which it has not.

    Raises:
        BadInput: One of both; the profile is named.
    """
    check_names(lab.profiles, known)
    there = known.closure(lab.profiles)
    for setting, value, plain in (("glance.store", lab.glance.store, "file"), ("images", lab.images, "local")):
        needed = known.enabling(setting, value)
        if value != plain and not set(needed) & set(there):
            raise BadInput(
                f"`{setting}: {value}` needs the profile {' or '.join(needed) or 'that the catalog has not'}.",
                evidence=[f"the lab {lab.name!r} has: {', '.join(there) or 'no profile'}"],
                remedy=f"`--with {needed[0]}`, or leave `{setting}` out." if needed else f"Leave `{setting}` out.",
            )


def check_names(names: Iterable[str], known: Profiles) -> None:
    """Refuses names that no profile has.

    Raises:
        BadInput: There is no such profile.
    """
    for name in names:
        if name not in known.names:
            there = f"There are: {', '.join(known.names)}." if known.names else "The catalog has none."
            raise BadInput(f"There is no profile {name!r}.", evidence=[there], remedy=nearest(name, known.names))


def with_profiles(lab: LabFile, known: Profiles, *, more: Collection[str] = (), fewer: Collection[str] = ()) -> LabFile:
    """A lab with more profiles, or without some.

    Raises:
        BadInput: There is no such profile, or one that stays needs one that shall go.
    """
    check_names([*more, *fewer], known)
    asked = [name for name in dict.fromkeys((*lab.profiles, *more)) if name not in fewer]
    for name in fewer:
        if needing := known.needing(name, asked):
            raise BadInput(
                f"The profile {name!r} cannot go: {', '.join(needing)} needs it.",
                remedy=f"`--without {','.join([*needing, *fewer])}`",
            )
    return with_values(lab, **{"with": asked})


def listed(text: str | None) -> tuple[str, ...]:
    """The names in a flag's value, such as `horizon,swift`."""
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
