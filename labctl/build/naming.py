"""Which images a release's labs run: those of `labctl build`, unless the environment names others."""

import os

from labctl.render.images import Naming

TAG, REGISTRY = "LABCTL_TAG", "LABCTL_REGISTRY"


def naming(release: str, tag: str | None = None, registry: str = "") -> Naming:
    """How the images of a release are called.

    Args:
        release: The release, which is their tag unless another is named.
        tag: Another tag; else that of the environment.
        registry: The prefix of their names; else that of the environment.
    """
    return Naming(tag or os.environ.get(TAG) or release, registry or os.environ.get(REGISTRY, ""))
