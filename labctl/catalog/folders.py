"""Where the catalog's data folders are."""

import os
from dataclasses import dataclass
from pathlib import Path

from labctl.errors import BadInput


@dataclass(frozen=True)
class CatalogFolders:
    """The three data folders of a catalog, side by side in one root."""

    root: Path

    @property
    def images(self) -> Path:
        """One folder for each image, `macros.j2`, and the locks of the releases."""
        return self.root / "images"

    @property
    def locks(self) -> Path:
        """One folder for each release."""
        return self.images / "locks"

    @property
    def config_templates(self) -> Path:
        """One folder for each service, files named as the service names them."""
        return self.root / "config-templates"

    @property
    def compose(self) -> Path:
        """One template for each group of services."""
        return self.root / "compose"

    @property
    def profiles(self) -> Path:
        """Services that a lab may have besides: for each profile what it is, and its Compose template."""
        return self.compose / "profiles"


def catalog_folders() -> CatalogFolders:
    """Finds the catalog: `LABCTL_CATALOG` if it is set, else the checkout that this package is in.

    Raises:
        BadInput: The folder is not a catalog.
    """
    root = Path(os.environ.get("LABCTL_CATALOG") or Path(__file__).parents[2])
    folders = CatalogFolders(root)
    if not folders.images.is_dir():
        raise BadInput(
            f"{root} holds no catalog: there is no folder images/ in it.",
            remedy="Set LABCTL_CATALOG to a checkout of labctl, or install labctl with `pip install -e` from one.",
        )
    return folders
