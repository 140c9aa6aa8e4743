"""From the source trees that a lab file names to what services mount to run from them."""

import json
import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

from labctl.catalog.folders import CatalogFolders
from labctl.engine.process import CommandFailed, run
from labctl.engine.short_lived import docker_run
from labctl.errors import BadInput, NotFound
from labctl.events import Emit, Note, step
from labctl.lab.file import LabFile
from labctl.lab.sources import Projects
from labctl.render.lab import FromSource, LabPlan, from_source
from labctl.render.source import SourceTree

PACKAGING = ("setup.cfg", "setup.py", "pyproject.toml", "PKG-INFO")
"""The files of a tree that say what an editable install of it writes."""

PROGRAM = Path(__file__).with_name("describe_source.py")
SECONDS = 60.0


def projects(folders: CatalogFolders, plan: LabPlan) -> Projects:
    """The services of a lab that can run from a source tree."""
    found = from_source(folders, plan)
    return Projects({name: one.project for name, one in found.items()}, tuple(node.name for node in plan.nodes))


def read_trees(folders: CatalogFolders, lab: LabFile, plan: LabPlan, emit: Emit) -> dict[str, SourceTree]:
    """Reads the source trees that services of a lab run from; each is looked at in its service's image.

    Args:
        folders: The catalog.
        lab: What the lab shall be.
        plan: Its plan, without sources.
        emit: Told about the trees.

    Returns:
        Service to tree.

    Raises:
        BadInput: A name is not one of a service, or a tree is none of its project.
    """
    if not lab.sources:
        return {}
    known = from_source(folders, plan)
    try:
        chosen = projects(folders, plan).spread(lab.sources)
    except NotFound as error:
        raise BadInput(f"sources: {error.what}", evidence=error.evidence, remedy=error.remedy) from None

    def tree_of(service: str) -> tuple[str, Path]:
        return known[service].project, chosen[service]

    found: dict[str, SourceTree] = {}
    for (project, path), members in groupby(sorted(chosen, key=tree_of), tree_of):
        services = sorted(members)
        with step(emit, f"read {project} in {path}") as evidence:
            tree, version = read_tree(path, project, image_of(services, known, plan), plan.user, emit)
            evidence.text = f"{version}, for {', '.join(services)}"
        found |= dict.fromkeys(services, tree)
    return found


def image_of(services: list[str], known: Mapping[str, FromSource], plan: LabPlan) -> str:
    """The image whose environment a tree is looked at in: any of its services'."""
    return plan.references[min(known[service].image for service in services)]


def read_tree(path: Path, project: str, image: str, user: str, emit: Emit) -> tuple[SourceTree, str]:
    """Looks at one tree.

    Returns:
        The tree, and the name and version of what it holds.

    Raises:
        BadInput: It is none of the project, or its build backend fails.
    """
    check_tree(path, project)
    target = f"/src/{project}"
    version = version_from_git(path)
    command = [
        *docker_run("--interactive", "--network", "none", "--read-only", "--tmpfs", "/tmp"),  # noqa: S108
        *("--user", user, "--cap-drop", "ALL", "--mount", f"type=bind,source={path},target={target},readonly"),
        *(("--env", f"PBR_VERSION={version}") if version else ()),
        *(image, "/opt/openstack/bin/python", "-I", "-", target, project),
    ]
    try:
        said = json.loads(run(command, input=PROGRAM.read_bytes(), timeout=SECONDS).stdout)
    except CommandFailed as error:
        raise BadInput(
            f"{path} cannot be installed over the image's {project}.",
            evidence=error.completed.stderr.splitlines()[-8:] or error.evidence,
            remedy=f"uid {user.split(':')[0]} must be able to read it; its build backend has no network.",
        ) from None
    if said["migrations"]:
        emit(Note(migration_warning(project, path, said["migrations"]), "warning"))
    tree = SourceTree(project, path, said["site_packages"], said["metadata"], said["scripts"])
    return tree, min(said["metadata"]).partition(".dist-info")[0]


def check_tree(path: Path, project: str) -> None:
    """Refuses a folder that is no source tree of a project.

    Raises:
        BadInput: It is not.
    """
    back = f"`labctl dev {project} --stop` returns to the image."
    if not path.is_dir():
        raise BadInput(f"There is no folder {path}, which {project} shall run from.", remedy=back)
    if not any((path / name).is_file() for name in PACKAGING) or not (path / project / "__init__.py").is_file():
        raise BadInput(
            f"{path} is no source tree of {project}.",
            evidence=[f"expected: {project}/__init__.py, and one of {', '.join(PACKAGING)}"],
            remedy=f"Name the top folder of a clone of {project}.",
        )
    if "," in str(path):
        raise BadInput(f"The docker command cannot mount {path}: its name has a comma.", remedy="Rename the folder.")


def version_from_git(path: Path) -> str:
    """The version of a clone: its tag, or what pbr calls the versions after a tag.

    The commits since are not counted, or each commit would make the services anew.

    Returns:
        Such as 30.0.0 or 30.0.1.dev0; empty without git, or without a tag as in shallow clones.
    """
    if not (path / ".git").exists():
        return ""
    command = ["git", "-C", str(path), "describe", "--tags", "--long", "--match", "[0-9]*"]
    found = re.fullmatch(r"(.*?)(\d+)-(\d+)-g[0-9a-f]+", run(command, check=False).stdout.strip())
    if not found:
        return ""
    head, last, commits = found.groups()
    return f"{head}{int(last) + 1}.dev0" if int(commits) else head + last


def migration_warning(project: str, path: Path, names: list[str]) -> str:
    """Says that the lab's database has not been migrated by this tree."""
    return (
        f"{path} has {len(names)} migration(s) of the database that the image of {project} has not, such as "
        f"{Path(names[-1]).name}: the lab's schema is the image's until you migrate it (labctl exec)."
    )
