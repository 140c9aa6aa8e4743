"""What a lab needs of the machine besides containers.

A short-lived privileged container does it, since labctl itself has no rights.
"""

from collections.abc import Iterable
from importlib.resources import files

from labctl.engine.containers import LAB_LABEL
from labctl.engine.process import Completed, run

# The script runs with the machine's own programs, in the mount namespace of the container's parent: the engine's.
ENTER = ("-c", 'exec nsenter --target "$PPID" --mount -- sh -s -- "$@"', "sh")


def prepare_nodes(image: str, lab: str, folder: str, nodes: Iterable[str]) -> None:
    """Makes the folders that the containers of nodes share; those that are there stay as they are.

    Raises:
        CommandFailed: The machine would not.
    """
    _on_machine(image, lab, "prepare.sh", folder, *nodes)


def clean_up(image: str, lab: str, folder: str, group: str) -> int:
    """Removes what is left of a lab, or of one node, outside of containers: guests, namespaces, mounts.

    Args:
        image: An image with nsenter, which is in every one.
        lab: The lab.
        folder: The lab's folder of nodes, or the node's in it.
        group: The control group of the lab's guests, or of the node's.

    Returns:
        How many guests' processes were ended.

    Raises:
        CommandFailed: The machine would not.
    """
    return int(_on_machine(image, lab, "clean.sh", folder, group).stdout.split()[-1])


def _on_machine(image: str, lab: str, script: str, *arguments: str) -> Completed:
    command = ["docker", "run", "--rm", "--interactive", "--privileged", "--pid", "host", "--network", "none"]
    command += ["--user", "0:0", "--label", f"{LAB_LABEL}={lab}", "--entrypoint", "sh", image, *ENTER]
    text = (files(__name__) / script).read_bytes()
    return run([*command, *arguments], input=text)
