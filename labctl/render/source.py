"""A service that runs from a source tree: an editable install over the image's environment, as mounts. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

METADATA = "/opt/source"
"""Where a container finds what an editable install would write beside the packages: NAME.dist-info."""

SOURCE_LABEL = "org.labctl.source"


@dataclass(frozen=True)
class SourceTree:
    """A source tree, and what an editable install of it would write.

    Attributes:
        project: The Python project: the name of its package.
        path: The tree.
        site_packages: Where the image's environment has its packages.
        metadata: Files of the tree's NAME.dist-info.
        scripts: Absolute path in the image to content, of the scripts that the image lacks or has otherwise.
    """

    project: str
    path: Path
    site_packages: str
    metadata: Mapping[str, str]
    scripts: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> str:
        """Its folder among the rendered files."""
        return f"sources/{self.project}-{hashlib.sha256(str(self.path).encode()).hexdigest()[:8]}"

    @property
    def target(self) -> str:
        """Where a container finds the tree."""
        return f"/src/{self.project}"

    def files(self) -> dict[str, bytes]:
        """The rendered files."""
        # Ahead of the image's packages and behind the standard library; the site module runs lines that begin with
        # import, in every interpreter of the environment, also below sudo and uWSGI, where variables do not reach.
        path_file = (
            "import sys; at = next((i for i, path in enumerate(sys.path) if path.endswith('/site-packages')), 0); "
            f"sys.path[at:at] = [{METADATA!r}, {self.target!r}]\n"
        )
        return {
            f"{self.folder}/source.pth": path_file.encode(),
            **{f"{self.folder}/metadata/{name}": text.encode() for name, text in self.metadata.items()},
            **{f"{self.folder}/scripts/{Path(name).name}": text.encode() for name, text in self.scripts.items()},
        }

    def mounts(self) -> list[str | dict[str, Any]]:
        """What a service mounts to run from the tree, as Compose has it."""
        return [
            self._tree_mount(),
            f"./{self.folder}/metadata:{METADATA}:ro",
            f"./{self.folder}/source.pth:{self.site_packages}/source.pth:ro",
            *(f"./{self.folder}/scripts/{Path(name).name}:{name}:ro" for name in sorted(self.scripts)),
        ]

    def _tree_mount(self) -> dict[str, Any]:
        # Where the tree is gone it must not become an empty folder of root's.
        bind = {"create_host_path": False}
        source = literal(str(self.path))
        return {"type": "bind", "source": source, "target": self.target, "read_only": True, "bind": bind}


def run_from(tree: SourceTree, service: dict[str, Any]) -> dict[str, Any]:
    """A service of a Compose file as it runs from a source tree."""
    return {
        **service,
        "volumes": [*service.get("volumes", []), *tree.mounts()],
        "labels": {**service.get("labels", {}), SOURCE_LABEL: literal(str(tree.path))},
    }


def literal(text: str) -> str:
    """A text that Compose takes as it is: it puts variables in where a dollar is."""
    return text.replace("$", "$$")
