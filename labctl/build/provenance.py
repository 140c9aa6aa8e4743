"""Labels that say where an image comes from: the source, its revision, and when it was written.

The revision is the last one that touched what the image is made of, not the checkout's newest: an image that did not
change keeps its digest.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from labctl import __version__
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import ImageGraph
from labctl.engine.process import run


def provenance(folders: CatalogFolders, graph: ImageGraph, release: str) -> Mapping[str, Mapping[str, str]]:
    """Image name to OCI labels.

    Returns:
        `org.opencontainers.image.source`, `.revision` and `.created` (RFC 3339); outside of a git checkout the source
        is labctl's version and there is no revision.
    """
    root = folders.root
    if not (root / ".git").exists():
        return {image.name: without_git(image.folder) for image in graph.images}
    source = public_address(git(root, "config", "--get", "remote.origin.url")) or f"labctl {__version__}"
    changed = [line[3:] for line in git(root, "status", "--porcelain", "--", "images").splitlines()]
    labels = {}
    for image in graph.images:
        paths = ["images/macros.j2"]
        for part in graph.closure(image.name):
            paths += [f"images/{part.name}/", f"images/locks/{release}/{part.name}/"]
        revision, _, created = git(root, "log", "-1", "--format=%H %cI", "--", *paths).strip().partition(" ")
        dirty = any(path.startswith(tuple(paths)) for path in changed)
        labels[image.name] = {
            "org.opencontainers.image.source": source,
            **({"org.opencontainers.image.revision": revision + ("-dirty" if dirty else "")} if revision else {}),
            **({"org.opencontainers.image.created": created} if created else {}),
        }
    return labels


def without_git(folder: Path) -> Mapping[str, str]:
    """The labels of an image outside of a git checkout: its newest file tells when it was written."""
    newest = max(path.stat().st_mtime for path in folder.rglob("*"))
    return {
        "org.opencontainers.image.source": f"labctl {__version__}",
        "org.opencontainers.image.created": datetime.fromtimestamp(int(newest), UTC).isoformat(),
    }


def public_address(remote: str) -> str:
    """The address of a repository without the credentials that it may hold; empty for a path or an ssh shorthand."""
    parts = urlsplit(remote.strip())
    if not parts.hostname:
        return ""
    port = f":{parts.port}" if parts.port else ""
    return urlunsplit((parts.scheme, parts.hostname + port, parts.path, "", ""))


def git(root: Path, *arguments: str) -> str:
    """Output of a git command in the checkout; empty where it fails (no commit yet, no such setting)."""
    return run(["git", "-C", str(root), *arguments], check=False).stdout
