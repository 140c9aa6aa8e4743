"""The state folder: everything that labctl keeps of the labs on this machine."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path, user_state_path

from labctl.lab.names import is_lab_name, parse_lab_name
from labctl.yaml_input import load_own_yaml

PROJECT_PREFIX = "labctl-"
"""Compose projects of labs are called labctl-NAME."""

CA_FILE = "ca.pem"
"""The file with the certificate of the authority of a lab with TLS, among those that are rendered."""


def state_root() -> Path:
    """`$XDG_STATE_HOME/labctl`."""
    return user_state_path("labctl")


def cache_root() -> Path:
    """`$XDG_CACHE_HOME/labctl`: what can be made again."""
    return user_cache_path("labctl")


@dataclass(frozen=True)
class LabState:
    """One lab's folder, and what is where in it.

    Raises:
        BadInput: No lab can have that name; the folder would be somewhere else.
    """

    name: str

    def __post_init__(self) -> None:
        parse_lab_name(self.name)

    @property
    def folder(self) -> Path:
        """The lab's own folder."""
        return state_root() / "labs" / self.name

    @property
    def project(self) -> str:
        """The Compose project."""
        return PROJECT_PREFIX + self.name

    @property
    def lab_file(self) -> Path:
        """What was asked for, every default spelled out."""
        return self.folder / "lab.yaml"

    @property
    def secrets(self) -> Path:
        """The secrets."""
        return self.folder / "secrets.yaml"

    @property
    def rendered(self) -> Path:
        """The Compose project and the configuration: works without labctl."""
        return self.folder / "project"

    @property
    def compose_file(self) -> Path:
        """The Compose file."""
        return self.rendered / "compose.yaml"

    @property
    def services(self) -> dict[str, Any]:
        """The services of the Compose file, as the lab was last brought up; none without one. Read each time."""
        if not self.compose_file.exists():
            return {}
        return dict(load_own_yaml(self.compose_file.read_bytes())["services"])

    @property
    def clouds_yaml(self) -> Path:
        """How to reach the cloud, for OpenStack clients."""
        return self.rendered / "clouds.yaml"

    @property
    def ca_file(self) -> Path:
        """The certificate of the lab's authority, for clients of a lab with TLS."""
        return self.rendered / CA_FILE

    @property
    def being_restored(self) -> Path:
        """There while the lab's data is being replaced, with the snapshot's name; empty for a reset."""
        return self.folder / "being-restored"

    @property
    def exists(self) -> bool:
        """Whether this user has such a lab."""
        return self.lab_file.exists()


def known_labs() -> tuple[LabState, ...]:
    """The labs that have a state folder, by name."""
    return tuple(lab for lab in state_folders() if lab.exists)


def state_folders() -> tuple[LabState, ...]:
    """All folders where labs have their state, also of labs that were never made: by name."""
    return tuple(LabState(path.name) for path in sorted(state_root().glob("labs/*")) if is_lab_name(path.name))
