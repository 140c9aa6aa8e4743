"""`labctl lock`: resolves what each image installs, with hashes, under OpenStack's own constraints.

Every image with requirements is resolved on its own with uv. What more than one of them needs goes into the lock of the
image `python`, so that it is one layer for all; an image's own lock holds what its parents do not have. An image that
only profiles need puts nothing into the common lock, and compiles itself what is its alone: others stay as they are.
"""

import re
import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import httpx
from uv import find_uv_bin

from labctl.build.pins import BUILDER, Lock, Pin, canonical, parse_lock
from labctl.catalog.folders import CatalogFolders
from labctl.catalog.image import ImageGraph
from labctl.catalog.release import Release, lock_folder
from labctl.engine.process import run
from labctl.errors import BadInput, BuildFailed
from labctl.events import Emit, step

COMMON = "python"
"""The image whose layer holds what several others need."""


def lock_release(
    folders: CatalogFolders, graph: ImageGraph, release: Release, emit: Emit, constraints: str | None = None
) -> tuple[Path, ...]:
    """Writes the locks of a release.

    Args:
        folders: The catalog.
        graph: Its images.
        release: What to lock.
        emit: Told about each step.
        constraints: Path or address of the upper constraints; else what release.yaml says.

    Returns:
        The files that were written.

    Raises:
        BadInput: The constraints cannot be read.
        BuildFailed: uv found no solution.
    """
    with step(emit, "read constraints") as found:
        limits = apply_overrides(read_constraints(constraints or release.constraints), release.overriding)
        found.text = f"{len(limits)} pins"
    resolved: dict[str, Lock] = {}
    for image in graph.images:
        if image.file.python:
            with step(emit, f"resolve {image.name}") as found:
                resolved[image.name] = resolve(image.file.python, limits, release)
                found.text = f"{len(resolved[image.name])} packages"
    with step(emit, f"resolve {BUILDER}"):
        tools = resolve(release.tools, (), release)
    locks = split(resolved, {name: [p.name for p in graph.parents(name)] for name in resolved}, graph.of_profiles)
    plain = [lock for name, lock in locks.items() if name not in graph.of_profiles]
    compiled = [pin for name in release.source_builds for pin in pins_of(name, plain)]
    written = [write_lock(lock_folder(folders, release.name, name), lock, release) for name, lock in locks.items()]
    for name in graph.of_profiles & locks.keys():
        written += write_wheels(lock_folder(folders, release.name, name), locks[name], release)
    builder = lock_folder(folders, release.name, BUILDER)
    written.append(write(builder / "tools.txt", [pin.text for pin in tools.values()]))
    written.append(write(builder / "source.txt", [pin.text for pin in compiled]))
    return tuple(written)


def lock_images(
    folders: CatalogFolders,
    graph: ImageGraph,
    release: Release,
    names: Iterable[str],
    emit: Emit,
    constraints: str | None = None,
) -> tuple[Path, ...]:
    """Writes the locks of some images over those that their parents have, which stay as they are.

    Args:
        folders: The catalog.
        graph: Its images.
        release: What to lock.
        names: The images.
        emit: Told about each step.
        constraints: As for `lock_release`.

    Returns:
        The files that were written.

    Raises:
        BadInput: The constraints cannot be read.
        BuildFailed: uv found no solution, or an image needs another version of what a parent has.
    """
    limits = apply_overrides(read_constraints(constraints or release.constraints), release.overriding)
    written = []
    for name in names:
        with step(emit, f"resolve {name}") as found:
            resolved = resolve(graph[name].file.python, limits, release)
            parents = {
                canonical(line): line.split("==")[1].split()[0]
                for parent in graph.parents(name)
                for path in sorted(lock_folder(folders, release.name, parent.name).glob("*.txt"))
                for line in path.read_text().splitlines()
                if re.match(r"[A-Za-z0-9._-]+==", line)
            }
            clashes = [
                f"{package}: {pin.version}, and {parents[package]} in a parent"
                for package, pin in resolved.items()
                if parents.get(package, pin.version) != pin.version
            ]
            if clashes:
                raise BuildFailed(f"The image {name} needs other versions than its parents have.", evidence=clashes)
            own = {package: pin for package, pin in resolved.items() if package not in parents}
            folder = lock_folder(folders, release.name, name)
            written.append(write_lock(folder, own, release))
            if name in graph.of_profiles:
                written += write_wheels(folder, own, release)
            found.text = f"{len(own)} packages, and {len(resolved) - len(own)} that its parents have"
    return tuple(written)


def read_constraints(source: str) -> tuple[str, ...]:
    """The lines of a constraints file at an address or a path.

    Raises:
        BadInput: It cannot be read.
    """
    remedy = "Give a copy of the file: `labctl lock --constraints FILE`."
    try:
        if re.match(r"https?://", source):
            answer = httpx.get(source, follow_redirects=True, timeout=30).raise_for_status()
            return tuple(answer.text.splitlines())
        return tuple(Path(source).read_text().splitlines())
    except (httpx.HTTPError, OSError) as error:
        raise BadInput(f"The constraints at {source} cannot be read.", evidence=[str(error)], remedy=remedy) from None


def apply_overrides(constraints: Iterable[str], overrides: Iterable[str]) -> tuple[str, ...]:
    """The constraints with the pins of the overridden packages replaced."""
    replaced = {canonical(requirement) for requirement in overrides}
    kept = (line for line in constraints if line.strip() and canonical(line) not in replaced)
    return (*kept, *overrides)


def resolve(requirements: Iterable[str], constraints: Iterable[str], release: Release) -> Lock:
    """Runs `uv pip compile` for one set of requirements.

    Raises:
        BuildFailed: There is no solution.
    """
    with tempfile.TemporaryDirectory(prefix="labctl-lock-") as folder:
        limits, settings = Path(folder) / "constraints.txt", Path(folder) / "uv.toml"
        limits.write_text("\n".join(constraints) + "\n")
        # Building their metadata would need headers on this machine; none of them needs another package.
        settings.write_text(
            "dependency-metadata = ["
            + ", ".join(f'{{name = "{name}", requires-dist = []}}' for name in release.source_builds)
            + "]\n"
        )
        answer = run(
            [
                *(find_uv_bin(), "pip", "compile", "-", "--quiet", "--config-file", str(settings)),
                *("--constraint", str(limits), "--python-version", release.python, "--python-platform", "linux"),
                *("--generate-hashes", "--no-header", "--no-annotate"),
            ],
            input="\n".join(requirements).encode(),
            check=False,
        )
    if answer.exit_code:
        raise BuildFailed(
            f"uv finds no set of packages for {', '.join(requirements)}.", evidence=answer.stderr.splitlines()[-20:]
        )
    return parse_lock(answer.stdout)


def split(
    resolved: Mapping[str, Lock], parents: Mapping[str, Iterable[str]], alone: Collection[str] = ()
) -> dict[str, Lock]:
    """Puts what more than one image needs into the common lock, and takes from each what its parents have.

    Args:
        resolved: Image name to everything it needs.
        parents: Image name to the images that it is made from.
        alone: Images whose needs put nothing into the common lock.

    Raises:
        BuildFailed: Two images would install different versions of one package into the shared environment.
    """
    versions: dict[str, set[str]] = {}
    for lock in resolved.values():
        for pin in lock.values():
            versions.setdefault(pin.name, set()).add(pin.version)
    clashes = [f"{name}: {', '.join(sorted(found))}" for name, found in versions.items() if len(found) > 1]
    if clashes:
        raise BuildFailed("Images need different versions of one package.", evidence=clashes)
    # An image that starts from another of them shares that one's layer anyway: it is no further need.
    roots = [name for name in resolved if name not in alone and not any(parent in resolved for parent in parents[name])]
    needs = Counter(package for name in roots for package in resolved[name])
    common = {name: pin for lock in resolved.values() for name, pin in lock.items() if needs[name] > 1}
    locks: dict[str, Lock] = {COMMON: dict(sorted(common.items()))}
    for name, lock in resolved.items():
        inherited = set(common).union(*(resolved[parent] for parent in parents[name] if parent in resolved))
        locks[name] = {package: pin for package, pin in lock.items() if package not in inherited}
    return locks


def pins_of(name: str, locks: Iterable[Lock]) -> tuple[Pin, ...]:
    """The pin of a package, from the first lock that has it."""
    return next(((lock[name],) for lock in locks if name in lock), ())


def write_wheels(folder: Path, lock: Lock, release: Release) -> list[Path]:
    """Writes wheels.txt: the hashed sources of what an image compiles itself, in a stage on top of the builder."""
    sources = [pin.text for pin in lock.values() if pin.name in release.source_builds]
    if not sources:
        (folder / "wheels.txt").unlink(missing_ok=True)
        return []
    return [write(folder / "wheels.txt", sources)]


def write_lock(folder: Path, lock: Lock, release: Release) -> Path:
    """Writes packages.txt (wheels, with hashes) and source.txt (compiled from source, by version)."""
    source = [pin.plain for pin in lock.values() if pin.name in release.source_builds]
    if source:
        write(folder / "source.txt", source)
    else:
        (folder / "source.txt").unlink(missing_ok=True)
    return write(folder / "packages.txt", [pin.text for pin in lock.values() if pin.name not in release.source_builds])


def write(path: Path, lines: Iterable[str]) -> Path:
    """Writes a lock file with a line that says where it comes from."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["# Made by `labctl lock`; do not edit.", *lines]) + "\n")
    return path
