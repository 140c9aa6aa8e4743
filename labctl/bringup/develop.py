"""`labctl dev`: restarts services when the source tree that they run from changes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import docker
import watchfiles

from labctl.bringup.source import PACKAGING
from labctl.bringup.watch import Watch
from labctl.engine.containers import restart
from labctl.errors import LabctlError, MachineConflict
from labctl.events import Emit, Event, Note, PlanMade, ServiceChanged

QUIET_MS = 200
"""An editor writes a file in several steps, git many files: a change is taken when nothing more came for this long."""

LONGEST_MS = 3000
"""A tree that never comes to rest is taken after this long."""

Changes = Iterator[frozenset[Path]]


@dataclass(frozen=True)
class Tree:
    """A source tree that somebody works on.

    Attributes:
        project: The project.
        path: The tree.
    """

    project: str
    path: Path

    def concerns(self, path: Path) -> bool:
        """Whether a file can change what a service does: the package without its tests, or how it is installed."""
        if not path.is_relative_to(self.path):
            return False
        parts = path.relative_to(self.path).parts
        return self.is_packaging(path) or (parts[0] == self.project and "tests" not in parts)

    def is_packaging(self, path: Path) -> bool:
        """Whether a file says what is installed: entry points."""
        return path.parent == self.path and path.name in PACKAGING


class _Filter(watchfiles.DefaultFilter):
    """Leaves out what watchfiles does (bytecode, .git, editors' files), but not for the names of folders above."""

    def __init__(self, tree: Tree) -> None:
        super().__init__()
        self._tree = tree

    def __call__(self, change: watchfiles.Change, path: str) -> bool:
        inside = Path(path).relative_to(self._tree.path)
        return self._tree.concerns(Path(path)) and super().__call__(change, str(inside))


def changes(tree: Tree) -> Changes:
    """Waits for changes of a tree, and tells the files of each, until Ctrl-C.

    Raises:
        MachineConflict: The kernel's limit of watched folders is reached.
    """
    watched = watchfiles.watch(
        tree.path, watch_filter=_Filter(tree), step=QUIET_MS, debounce=LONGEST_MS, ignore_permission_denied=True
    )
    try:
        for seen in watched:
            yield frozenset(Path(path) for _, path in seen)
    except OSError as error:
        raise MachineConflict(
            f"{tree.path} cannot be watched: {error}",
            remedy="`sysctl fs.inotify.max_user_watches` shows the limit; an administrator can raise it.",
        ) from None


def develop(
    client: docker.DockerClient,
    lab: str,
    tree: Tree,
    services: frozenset[str],
    emit: Emit,
    *,
    seen: Changes,
    install: Callable[[], None],
) -> None:
    """Restarts the services at each change, until there are no more changes or none of them runs from the tree.

    Args:
        client: The engine.
        lab: The lab.
        tree: The source tree.
        services: The services that were asked for.
        emit: Told what is restarted and how the services are.
        seen: The changes.
        install: Brings the lab up with what an editable install of the tree writes now.
    """
    ours = only(services, emit)
    with Watch(client, lab, ours) as watch:
        for paths in seen:
            before = running_from(watch, tree, services)
            if not before:
                emit(Note(f"No service runs from {tree.path} any more."))
                return
            emit(Note(f"{said(tree, paths)} changed: restart {', '.join(before)}"))
            if any(tree.is_packaging(path) for path in paths):
                try:
                    install()
                except LabctlError as error:
                    emit(Note(" / ".join((error.what, *error.evidence)), "warning"))
            # Those that were made anew have started with it.
            now = running_from(watch, tree, services)
            restart(client, set(before.values()) & set(now.values()))


def running_from(watch: Watch, tree: Tree, services: frozenset[str]) -> Mapping[str, str]:
    """Service to container, of those that run from a tree at this moment."""
    watch.look()
    return {
        name: state.container
        for name, state in watch.states.items()
        if name in services and state.source == str(tree.path)
    }


def only(services: frozenset[str], emit: Emit) -> Emit:
    """Tells only of some services how they are."""

    def pass_on(event: Event) -> None:
        if not isinstance(event, ServiceChanged) or event.service in services:
            emit(event)

    return pass_on


def brief(emit: Emit) -> Emit:
    """Tells everything but plans: which files `up` would write is not what a developer looks for."""

    def pass_on(event: Event) -> None:
        if not isinstance(event, PlanMade):
            emit(event)

    return pass_on


def said(tree: Tree, paths: frozenset[Path]) -> str:
    """What changed, in a few words."""
    names = sorted(str(path.relative_to(tree.path)) for path in paths)
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
