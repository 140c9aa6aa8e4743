"""`docker buildx bake`: the graph, the parallelism and the cache are BuildKit's."""

from collections.abc import Sequence
from pathlib import Path

from labctl.build.progress import LOG_LINES, BakeProgress
from labctl.engine.process import stream
from labctl.errors import BuildFailed
from labctl.events import Emit

DEFINITION = "docker-bake.json"


def bake(context: Path, targets: Sequence[str], emit: Emit, *, no_cache: bool = False, push: bool = False) -> None:
    """Builds images.

    Args:
        context: The rendered build context.
        targets: Images to build.
        emit: Told about each image's steps.
        no_cache: Build every step anew.
        push: Push the results to their registry.

    Raises:
        BuildFailed: A step failed; names the image, the step and its last lines. Images that were done stay.
    """
    progress = BakeProgress(emit)
    options = [*(["--no-cache"] if no_cache else []), *(["--push"] if push else [])]
    exit_code = stream(
        ["docker", "buildx", "bake", "--file", DEFINITION, "--progress", "rawjson", *options, *targets],
        progress.line,
        cwd=context,
    )
    if exit_code:
        raise build_error(progress, context)


def build_error(progress: BakeProgress, context: Path) -> BuildFailed:
    """The failed step as an error for people."""
    remedy = f"The rendered files are in {context}; what was built stays and is not built again."
    for step in progress.failed:
        evidence = [f"step: {step.name}", *(step.log or [step.error])]
        return BuildFailed(f"The image {step.image or '?'} could not be built.", evidence=evidence, remedy=remedy)
    return BuildFailed("docker buildx bake failed.", evidence=progress.other_output[-LOG_LINES:], remedy=remedy)


def batches(targets: Sequence[str], jobs: int | None) -> list[list[str]]:
    """Cuts the targets, which are in build order, into groups of at most `jobs`; one group where there is no limit."""
    size = jobs or max(len(targets), 1)
    return [list(targets[start : start + size]) for start in range(0, len(targets), size)]
