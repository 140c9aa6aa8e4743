"""Which files of oslo.config a service of a lab reads: from its definition in the lab's Compose file. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

from labctl.errors import BadInput, NotFound
from labctl.lab.names import nearest

OPTIONS = ("--config-file", "--config-dir")


@dataclass(frozen=True)
class Reads:
    """What one service of the Compose file reads.

    Attributes:
        service: Its name there.
        configuration: Whose configuration it is, such as nova.
        folder: The folder of it in the lab's project folder: etc/nova or etc/node1/nova.
        sources: Files and folders of files there, in the order in which they are read.
    """

    service: str
    configuration: str
    folder: PurePosixPath
    sources: tuple[PurePosixPath, ...]

    def files(self, project: Path) -> tuple[Path, ...]:
        """The files that are there now; of a folder its *.conf by name, as oslo.config reads them."""
        paths = [project / source for source in self.sources]
        found = [sorted(path.glob("*.conf")) if path.is_dir() else [path] for path in paths]
        return tuple(path for group in found for path in group)


def reads_of(services: Mapping[str, Mapping[str, Any]], configured: Collection[str]) -> tuple[Reads, ...]:
    """What the services of a Compose file read.

    Args:
        services: The Compose file's services.
        configured: Services with options of their own; what others mount is not oslo.config's.
    """
    found = (_reads(name, service, configured) for name, service in services.items())
    return tuple(reads for reads in found if reads is not None)


def _reads(name: str, service: Mapping[str, Any], configured: Collection[str]) -> Reads | None:
    mounts = {
        PurePosixPath(target): PurePosixPath(source)
        for source, target, *_ in (volume.split(":") for volume in service.get("volumes", ()) if volume[0] == ".")
        if PurePosixPath(target).name in configured
    }
    if len(mounts) != 1:
        return None
    ((target, source),) = mounts.items()
    configuration = target.name
    command: Sequence[str] = [str(word) for word in service.get("command", ())]
    given = [PurePosixPath(path) for option, path in pairwise(command) if option in OPTIONS]
    # Where the command names none (uWSGI), oslo.config looks for /etc/PROJECT/PROJECT.conf and the folder beside it.
    paths = given or [target / f"{configuration}.conf", target / f"{configuration}.conf.d"]
    inside = tuple(source / path.relative_to(target) for path in paths if path.is_relative_to(target))
    return Reads(name, configuration, source, inside)


def choose(known: Sequence[Reads], wanted: str) -> Reads:
    """Finds the service that is meant: one of the Compose file, or whose configuration it is, with @NODE for a node's.

    Raises:
        NotFound: There is none.
        BadInput: Several are meant, and they read different files.
    """
    what, _, node = wanted.partition("@")
    folder = PurePosixPath("etc", node, what)
    names = (f"{node}-{what}",) if node else (what,)
    candidates = [reads for reads in known if reads.service in names]
    candidates = candidates or [reads for reads in known if reads.folder == folder]
    if not candidates:
        names_of_all = [reads.service for reads in known]
        raise NotFound(
            f"The lab has no service {wanted!r} with files of oslo.config.",
            evidence=[", ".join(names_of_all)],
            remedy=nearest(f"{node}-{what}" if node else what, names_of_all),
        )
    if len({reads.sources for reads in candidates}) > 1:
        raise BadInput(
            f"{wanted!r} stands for services that read different files.",
            evidence=[reads.service for reads in candidates],
            remedy="Name one of them.",
        )
    return candidates[0]
