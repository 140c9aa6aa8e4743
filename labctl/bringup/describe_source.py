"""Runs in an image, from standard input: says as JSON what an editable install of a source tree would write.

Arguments: the tree, and the name of its package. The tree is read only; nothing is downloaded: the build backend is the
one in the image's environment (PEP 517, PEP 660).
"""

import importlib
import importlib.metadata
import json
import os
import sys
import sysconfig
import tempfile
import tomllib
from pathlib import Path
from typing import Any

LEGACY = "setuptools.build_meta:__legacy__"
"""What PEP 517 says of trees that name no backend."""

CONSOLE_SCRIPT = """\
import sys
from {module} import {function}
if __name__ == "__main__":
    sys.exit({invoke}())
"""


def build_backend(tree: Path) -> Any:
    """The backend that the tree asks for."""
    file = tree / "pyproject.toml"
    named = tomllib.loads(file.read_text()).get("build-system", {}) if file.exists() else {}
    module, _, attribute = named.get("build-backend", LEGACY).partition(":")
    found = importlib.import_module(module)
    return getattr(found, attribute) if attribute else found


def metadata_folder(tree: Path, image: importlib.metadata.Distribution) -> Path:
    """The tree's NAME.dist-info, as its backend makes it."""
    # pbr takes the version from here before it asks git, which images lack; a source package has it in PKG-INFO.
    if not (tree / "PKG-INFO").exists():
        os.environ.setdefault("PBR_VERSION", image.version)
    os.environ |= dict.fromkeys(("SKIP_GENERATE_AUTHORS", "SKIP_WRITE_GIT_CHANGELOG", "SKIP_GENERATE_RENO"), "1")
    os.environ["SKIP_GIT_SDIST"] = "1"
    os.chdir(tree)
    folder = tempfile.mkdtemp()
    return Path(folder) / str(build_backend(tree).prepare_metadata_for_build_editable(folder))


def targets(distribution: importlib.metadata.Distribution) -> dict[tuple[str, str], importlib.metadata.EntryPoint]:
    """The entry points that are scripts, by group and name."""
    groups = ("console_scripts", "wsgi_scripts")
    return {(one.group, one.name): one for one in distribution.entry_points if one.group in groups}


def script(entry: importlib.metadata.EntryPoint) -> str:
    """The text of a script."""
    function = entry.attr.partition(".")[0]
    head = f"#!{sys.executable}\n"
    if entry.group == "console_scripts":
        return head + CONSOLE_SCRIPT.format(module=entry.module, function=function, invoke=entry.attr)
    from pbr.packaging import ENTRY_POINTS_MAP

    names = {"group": entry.group, "module_name": entry.module, "import_target": function, "invoke_target": entry.attr}
    return head + str(ENTRY_POINTS_MAP[entry.group] % names)


def migrations(package: Path) -> set[str]:
    """The migrations of the database's schema that a package holds."""
    found = (str(path.relative_to(package)) for path in package.rglob("versions/**/*.py"))
    return {name for name in found if "migration" in name or "alembic" in name}


def describe(tree: Path, project: str) -> dict[str, object]:
    """What an editable install of the tree would write, beside the image's environment."""
    image = importlib.metadata.distribution(importlib.metadata.packages_distributions()[project][0])
    folder = metadata_folder(tree, image)
    installed, wanted = targets(image), targets(importlib.metadata.Distribution.at(folder))
    changed = [entry for key, entry in wanted.items() if key not in installed or installed[key].value != entry.value]
    ours, theirs = migrations(tree / project), migrations(Path(str(image.locate_file(project))))
    return {
        "site_packages": sysconfig.get_path("purelib"),
        "metadata": {
            f"{folder.name}/{name}": (folder / name).read_text()
            for name in ("METADATA", "entry_points.txt")
            if (folder / name).exists()
        },
        "scripts": {f"{sysconfig.get_path('scripts')}/{entry.name}": script(entry) for entry in changed},
        "migrations": sorted(ours - theirs),
    }


if __name__ == "__main__":
    answer = os.dup(1)
    os.dup2(2, 1)  # backends talk on standard output
    with os.fdopen(answer, "w") as stream:
        json.dump(describe(Path(sys.argv[1]), sys.argv[2]), stream)
