"""The profiles of a catalog: services that a lab may have besides, compose/profiles/NAME.yaml and NAME.yaml.j2."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from pydantic import BaseModel, ConfigDict

from labctl.catalog.folders import CatalogFolders
from labctl.catalog.yaml_model import read_yaml_model
from labctl.errors import BadInput


class ProfileFile(BaseModel):
    """The schema of compose/profiles/NAME.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str
    needs: tuple[str, ...] = ()
    """Profiles that a lab with this one has as well."""
    images: tuple[str, ...] = ()
    """Images that no lab without this profile needs."""
    enables: Mapping[str, tuple[str, ...]] = {}
    """Setting of the lab file to the values that need this profile: `glance.store: [swift]`."""


@dataclass(frozen=True)
class Profiles:
    """All profiles of a catalog, by name, in an order in which each comes after what it needs."""

    files: Mapping[str, ProfileFile]

    @property
    def names(self) -> tuple[str, ...]:
        """The names, in that order."""
        return tuple(self.files)

    def closure(self, names: Collection[str]) -> tuple[str, ...]:
        """These profiles and all that they need, directly or not; each after what it needs."""
        wanted = set(names)
        for name in reversed(self.names):
            if name in wanted:
                wanted.update(self.files[name].needs)
        return tuple(name for name in self.names if name in wanted)

    def needing(self, name: str, names: Collection[str]) -> tuple[str, ...]:
        """Those of some profiles that need one, directly or not."""
        return tuple(other for other in names if other != name and name in self.closure([other]))

    def images(self, names: Collection[str]) -> frozenset[str]:
        """The images that some profiles bring."""
        return frozenset(image for name in names for image in self.files[name].images)

    def enabling(self, setting: str, value: str) -> tuple[str, ...]:
        """The profiles that a value of the lab file needs one of."""
        return tuple(name for name, file in self.files.items() if value in file.enables.get(setting, ()))


def load_profiles(folders: CatalogFolders) -> Profiles:
    """Reads every compose/profiles/NAME.yaml.

    Raises:
        BadInput: A file is malformed, names a profile that is not there, or the profiles need each other in a circle.
    """
    files = {path.stem: read_yaml_model(path, ProfileFile) for path in sorted(folders.profiles.glob("*.yaml"))}
    for name, file in files.items():
        for need in file.needs:
            if need not in files:
                raise BadInput(
                    f"The profile {name!r} needs {need!r}, which is not in the catalog.",
                    evidence=[str(folders.profiles / f"{name}.yaml")],
                    remedy=f"The catalog has: {', '.join(files)}.",
                )
    return Profiles({name: files[name] for name in in_order(files)})


def in_order(files: Mapping[str, ProfileFile]) -> Iterable[str]:
    """Each profile after those that it needs.

    Raises:
        BadInput: They need each other in a circle.
    """
    try:
        return list(TopologicalSorter({name: file.needs for name, file in files.items()}).static_order())
    except CycleError as error:
        raise BadInput("Profiles need each other in a circle: " + " -> ".join(error.args[1])) from None
