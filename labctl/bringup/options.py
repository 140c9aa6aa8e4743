"""The options that the services of a release register: asked of their images once, and kept by image."""

import hashlib
import json
from importlib.resources import files

from labctl.build.naming import naming
from labctl.catalog.configuration import OptionsFile, load_libraries_file, load_options_file
from labctl.catalog.folders import CatalogFolders
from labctl.configuration.options import LISTED, Listed, Registry
from labctl.engine.images import image_id, run_python
from labctl.engine.process import CommandFailed
from labctl.errors import BadInput, BuildFailed
from labctl.files import write_file
from labctl.lab.state import cache_root

LIST_SECONDS = 120.0
"""Measured: 1 to 4 s; the first run of a container on a busy machine may take longer."""


def service_options(folders: CatalogFolders, release: str, service: str) -> Registry:
    """The options of one service's configuration.

    Raises:
        BadInput: There is no such service, or its image is not built.
        BuildFailed: The image cannot tell its options.
    """
    known = load_options_file(folders, service)
    reference = naming(release).reference(known.image)
    image = image_id(reference)
    if image is None:
        raise BadInput(
            f"The options of {service} are not known: its image is not built yet.",
            evidence=[reference],
            remedy="Run `labctl build` first.",
        )
    removed = {**load_libraries_file(folders).removed, **known.removed}
    return Registry(service, listed_options(reference, image, known), known.alike, known.named_by, removed)


def listed_options(reference: str, image: str, known: OptionsFile) -> Listed:
    """What an image says of its options, out of the cache where it was asked before."""
    program = (files("labctl.configuration") / "list_options.py").read_bytes()
    question = json.dumps({"namespaces": known.namespaces, "unlisted": known.unlisted})
    key = hashlib.sha256(b"\0".join([image.encode(), program, question.encode()])).hexdigest()
    cache = cache_root() / "options" / f"{key[:32]}.json"
    if not cache.exists():
        try:
            answer = run_python(reference, program, [question], LIST_SECONDS)
        except CommandFailed as error:
            raise BuildFailed(
                f"The image {reference} does not tell its options.",
                evidence=error.evidence,
                remedy="Look at config-templates/SERVICE/options.yaml, and at the image with `labctl build`.",
            ) from error
        write_file(cache, answer.encode())
    return LISTED.validate_json(cache.read_bytes())
