"""Images on the engine: look at them, fetch them, take files out of them. Through the docker CLI (python-on-whales)."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labctl.engine.process import CommandFailed, run
from labctl.engine.short_lived import docker_run
from labctl.errors import BuildFailed

if TYPE_CHECKING:
    import docker

REGISTRY_SECONDS = 6.0
"""How long a registry may take to answer before it counts as not there."""


def image_id(reference: str) -> str | None:
    """The id of an image (sha256:...), or None where the engine has none of that name."""
    # The one question that `up` asks: a library that takes a third of a second to load is too much for it.
    answer = run(["docker", "image", "inspect", "--format", "{{.Id}}", reference], check=False)
    return answer.stdout.strip() if answer.exit_code == 0 else None


@dataclass(frozen=True)
class ImageSeen:
    """What the engine tells of an image.

    Attributes:
        layers: Digests of its layers.
        labels: Its labels.
        created: When it was made; of an image from a registry, there, and not every one says it.
        tagged: When the engine last gave it a name: when it was fetched, imported or built.
        digests: `NAME@sha256:...` of the registries that it came from or went to.
    """

    layers: tuple[str, ...]
    labels: Mapping[str, str]
    created: datetime
    tagged: datetime
    digests: tuple[str, ...]


def see_image(reference: str) -> ImageSeen | None:
    """What the engine tells of an image; None where it has none of that name."""
    answer = run(["docker", "image", "inspect", reference], check=False)
    if answer.exit_code:
        return None
    [image] = json.loads(answer.stdout)
    tagged = image["Metadata"]["LastTagTime"]
    return ImageSeen(
        layers=tuple(image["RootFS"].get("Layers") or ()),
        labels=image["Config"].get("Labels") or {},
        created=datetime.fromisoformat(image.get("Created") or tagged),
        tagged=datetime.fromisoformat(tagged),
        digests=tuple(image.get("RepoDigests") or ()),
    )


def image_contents(client: "docker.DockerClient", names: Iterable[str]) -> dict[str, str]:
    """What images hold, as digests; labels do not count, such as that of the commit that an image was built from.

    Args:
        client: The engine.
        names: References or ids; those that are not there are left out.
    """
    from docker.errors import ImageNotFound

    found = {}
    for name in set(names):
        with suppress(ImageNotFound):
            found[name] = content_digest(client.images.get(name).attrs)
    return found


def content_digest(image: Mapping[str, Any]) -> str:
    """A digest of an image's layers and of how it is run (Docker Engine API, ImageInspect)."""
    config = {key: value for key, value in image["Config"].items() if key != "Labels"}
    text = json.dumps([image["RootFS"]["Layers"], config], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def image_layers(references: Iterable[str]) -> list[tuple[str, ...]]:
    """The layers of images, in the order given."""
    from python_on_whales import docker

    return [tuple(docker.image.inspect(reference).root_fs.layers or ()) for reference in references]


def registry_digest(reference: str) -> str | None:
    """The digest of the image that a registry has under a name; None where none answers within a few seconds."""
    # The client asks by itself: the engine would go on trying for half a minute where there is no registry.
    asked = ["docker", "buildx", "imagetools", "inspect", "--format", "{{json .Manifest}}", reference]
    try:
        return str(json.loads(run(asked, timeout=REGISTRY_SECONDS).stdout)["digest"])
    except CommandFailed:
        return None


def fetch_image(source: str, reference: str) -> None:
    """Fetches an image from a registry and gives it another name.

    Raises:
        BuildFailed: No registry gives it.
    """
    from python_on_whales import docker
    from python_on_whales.exceptions import DockerException

    try:
        docker.image.pull(source, quiet=True)
    except DockerException as error:
        evidence = (error.stderr or "").splitlines()
        raise BuildFailed(f"No registry gives {source}.", evidence=evidence) from None
    docker.image.tag(source, reference)


def import_image(archive: Path, reference: str, message: str, labels: Mapping[str, str]) -> None:
    """Makes an image of one layer out of a tar file."""
    from python_on_whales import docker

    changes = [f"LABEL {name}={json.dumps(value)}" for name, value in labels.items()]
    docker.image.import_(archive, tag=reference, message=message, changes=changes)


def run_in_image(reference: str, command: Sequence[str]) -> str:
    """Runs a command in a container without a network and returns what it printed.

    Raises:
        CommandFailed: It failed.
    """
    return run([*docker_run("--network", "none", "--entrypoint", command[0]), reference, *command[1:]]).stdout


def run_python(reference: str, program: bytes, arguments: Sequence[str], timeout: float) -> str:
    """Runs a Python program with an image's own Python, in a container that has no network and can write nothing.

    Args:
        reference: The image.
        program: Its source.
        arguments: What it finds in `sys.argv`.
        timeout: Seconds that it may take.

    Returns:
        What it printed.

    Raises:
        CommandFailed: It failed, or ran out of time.
    """
    command = docker_run("--interactive", "--network", "none", "--read-only", "--cap-drop", "ALL")
    # Warnings are the image's own business; without them, standard error says why a program failed.
    command += ["--entrypoint", "python", reference, "-W", "ignore", "-", *arguments]
    return run(command, input=program, timeout=timeout).stdout


def copy_out(reference: str, names: Iterable[str], folder: Path) -> None:
    """Copies files from the root of an image into a folder; no container is started."""
    from python_on_whales import docker

    # An image without a command still needs one to make a container of.
    container = docker.container.create(reference, ["none"], networks=["none"])
    try:
        for name in names:
            docker.container.copy((container, f"/{name}"), folder / name)
    finally:
        docker.container.remove(container)
