"""What a lab needs of the machine besides containers.

A short-lived privileged container does it, since labctl itself has no rights.
"""

from collections.abc import Iterable
from importlib.resources import files

from labctl.engine.labels import LAB_LABEL
from labctl.engine.process import Completed, run
from labctl.engine.short_lived import docker_run

# The script runs with the machine's own programs, in the mount namespace of the container's parent: the engine's.
ENTER = ("-c", 'exec nsenter --target "$PPID" --mount -- sh -s -- "$@"', "sh")


def prepare_nodes(image: str, lab: str, folder: str, nodes: Iterable[str]) -> None:
    """Makes the folders that the containers of nodes share; those that are there stay as they are.

    Raises:
        CommandFailed: The machine would not.
    """
    _on_machine(image, lab, ("prepare.sh",), folder, *nodes)


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
    return int(_on_machine(image, lab, ("guests.sh", "clean.sh"), folder, group).stdout.split()[-1])


def remove_filter(image: str, lab: str, table: str) -> None:
    """Takes a lab's table out of the machine's packet filter, and its rules out of Docker's; there may be none.

    Args:
        image: The image of the agents.
        lab: The lab.
        table: The table.

    Raises:
        CommandFailed: The kernel would not.
    """
    # An image without the program is older than the table: its lab has none.
    script = 'if command -v remove-filter >/dev/null; then exec remove-filter "$1"; fi'
    run([*_at_filters(lab), "--entrypoint", "sh", image, "-c", script, "sh", table])


def end_guests(image: str, lab: str, folder: str, group: str) -> int:
    """Ends the guests of a lab whose libvirts do not run, and what these knew of them; the nodes stay.

    Arguments, result and errors as for `clean_up`.
    """
    return int(_on_machine(image, lab, ("guests.sh", "empty.sh"), folder, group).stdout.split()[-1])


def remove_networks(container: str) -> None:
    """Takes away what Neutron made in a node: namespaces, bridges, tunnels.

    Args:
        container: The node's holder.

    Raises:
        CommandFailed: The kernel would not.
    """
    run(
        ["docker", "exec", "--interactive", container, "bash", "-s"],
        input=(files(__name__) / "networks.sh").read_bytes(),
    )


def shut_guests(image: str, lab: str, folder: str, nodes: Iterable[str], seconds: int) -> tuple[int, int]:
    """Shuts guests down in good order; those that do not heed it are switched off.

    Args:
        image: An image with virsh.
        lab: The lab.
        folder: The machine's folder with those of the nodes.
        nodes: The compute nodes whose libvirt answers.
        seconds: How long guests may take.

    Returns:
        How many guests ran, and how many of them were switched off.

    Raises:
        CommandFailed: A libvirt did not answer, or would not.
    """
    command = docker_run("--network", "none", "--read-only", "--user", "0:0", "--cap-drop", "ALL")
    command += ["--label", f"{LAB_LABEL}={lab}", "--volume", f"{folder}:/nodes", "--entrypoint", "bash", image]
    text = (files(__name__) / "shut.sh").read_text()
    ran, off = run([*command, "-euo", "pipefail", "-c", text, "shut.sh", str(seconds), *nodes]).stdout.split()
    return int(ran), int(off)


def lacking_features(image: str) -> tuple[str, ...]:
    """What the agents of nodes need of the kernel and it does not have; tried in a network namespace of its own.

    Args:
        image: The image of the agents.

    Raises:
        CommandFailed: No container could try.
    """
    command = docker_run("--interactive", "--privileged", "--network", "none", "--user", "0:0")
    text = (files(__name__) / "features.sh").read_bytes()
    return tuple(run([*command, "--entrypoint", "sh", image, "-s"], input=text).stdout.splitlines())


def packet_filters(image: str) -> tuple[str, ...]:
    """The machine's IPv4 packet filter, as `iptables-save` writes it: of nftables, and of the older tables.

    Args:
        image: An image with both programs.

    Raises:
        CommandFailed: No container could look.
    """
    command = [*_at_filters(), "--cap-add", "NET_RAW", "--entrypoint"]
    programs = ("iptables-nft-save", "iptables-legacy-save")
    return tuple(run([*command, program, image, "-t", "filter"], check=False).stdout for program in programs)


def _at_filters(lab: str = "") -> list[str]:
    """The beginning of a command that runs a container with rights on the machine's packet filters, and no others."""
    label = ["--label", f"{LAB_LABEL}={lab}"] if lab else []
    rights = ["--user", "0:0", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN"]
    return [*docker_run("--network", "host", "--read-only"), *label, *rights]


def _on_machine(image: str, lab: str, scripts: Iterable[str], *arguments: str) -> Completed:
    """Runs scripts, one after the other in the same shell."""
    command = docker_run("--interactive", "--privileged", "--pid", "host", "--network", "none")
    command += ["--user", "0:0", "--label", f"{LAB_LABEL}={lab}", "--entrypoint", "sh", image, *ENTER]
    text = b"".join((files(__name__) / script).read_bytes() for script in scripts)
    return run([*command, *arguments], input=text)
