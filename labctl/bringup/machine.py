"""What a lab needs of the machine, refused before anything is changed."""

import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

import docker

from labctl.errors import BadInput, MachineConflict

# Measured: PSS after a bring-up, and the volumes of a lab with one small server on each node.
CONTROL_PLANE_MB = 2000
NODE_MB = 700
LAB_DISK_MB = 1500
NODE_DISK_MB = 300

LISTEN = "0A"
"""TCP_LISTEN of the kernel's include/net/tcp_states.h, as proc_net_tcp writes it."""


def check_memory(nodes: int, available_mb: int) -> None:
    """Refuses a lab that would not fit into memory.

    Raises:
        MachineConflict: Too little is available.
    """
    needed = CONTROL_PLANE_MB + NODE_MB * (nodes + 1)
    if available_mb < needed:
        raise MachineConflict(
            f"Too little memory for a lab of {nodes} node(s): {needed} MB are needed, {available_mb} MB are available.",
            evidence=[f"{CONTROL_PLANE_MB} MB for the control plane, {NODE_MB} MB for each node and the network node"],
            remedy="Take fewer nodes, or end something else.",
        )


def check_more_nodes(nodes: int, available_mb: int) -> None:
    """Refuses nodes that come to a lab that runs, and would not fit into memory beside it.

    Raises:
        MachineConflict: Too little is available.
    """
    if available_mb < NODE_MB * nodes:
        raise MachineConflict(
            f"Too little memory for {nodes} more node(s): {NODE_MB * nodes} MB are needed, {available_mb} MB are "
            "available.",
            evidence=[f"{NODE_MB} MB for each node"],
            remedy="Add fewer nodes, or end something else.",
        )


def check_disk(nodes: int, free_mb: int, folder: str) -> None:
    """Refuses a lab that would not fit onto the disk of the engine.

    Raises:
        MachineConflict: Too little is free.
    """
    needed = LAB_DISK_MB + NODE_DISK_MB * nodes
    if free_mb < needed:
        raise MachineConflict(
            f"Too little disk space for a lab of {nodes} node(s): {needed} MB are needed, {free_mb} MB are free.",
            evidence=[f"in {folder}, where the engine keeps its volumes"],
            remedy="Free some: `docker system df` shows what images and the build cache take.",
        )


def available_memory_mb(meminfo: Path = Path("/proc/meminfo")) -> int:
    """MemAvailable of proc_meminfo(5), in MB."""
    lines = (line.split() for line in meminfo.read_text().splitlines())
    return next(int(fields[1]) for fields in lines if fields[0] == "MemAvailable:") // 1024


def free_disk_mb(client: docker.DockerClient) -> tuple[int, str]:
    """Free space where the engine keeps its data, in MB, and where that is.

    The engine's folder is seldom readable for users; the file system that it is on can be asked all the same.
    """
    folder = Path(client.info()["DockerRootDir"])
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free // 10**6, str(folder)


def check_ports(wanted: Mapping[int, str], taken: Mapping[int, str]) -> None:
    """Refuses a lab whose services would find their port taken.

    Labs listen on an address of their own, so only a socket that listens on all addresses is in their way.

    Args:
        wanted: Port to service.
        taken: Port to the wildcard address that something listens on.

    Raises:
        MachineConflict: Some are taken.
    """
    clashes = [
        f"{service} needs port {port}, and {taken[port]}:{port} is taken"
        for port, service in wanted.items()
        if port in taken
    ]
    if clashes:
        raise MachineConflict(
            "Ports that the lab needs are taken on this machine.",
            evidence=clashes,
            remedy="`ss -ltnp` shows by whom. End it, or have it listen on 127.0.0.1 only.",
        )


def wildcard_ports(folder: Path = Path("/proc/net")) -> dict[int, str]:
    """The TCP ports that something listens on for all addresses (proc_net_tcp in the kernel's documentation).

    Returns:
        Port to the wildcard address.
    """
    found = {}
    for name, wildcard in (("tcp", "0.0.0.0"), ("tcp6", "[::]")):  # noqa: S104 - looked for, not bound
        path = folder / name
        for line in path.read_text().splitlines()[1:] if path.exists() else []:
            address, port = line.split()[1].split(":")
            if line.split()[3] == LISTEN and not int(address, 16):
                found[int(port, 16)] = wildcard
    return found


def image_labels(
    client: docker.DockerClient, references: Mapping[str, str], profiles: Collection[str] = ()
) -> dict[str, Mapping[str, str]]:
    """The labels of the lab's images.

    Args:
        client: The engine.
        references: Image name in the catalog to reference.
        profiles: The lab's, whose images are built when they are asked for.

    Raises:
        BadInput: Some are not there.
    """
    found: dict[str, Mapping[str, str]] = {}
    missing = []
    for name, reference in references.items():
        try:
            found[name] = client.images.get(reference).labels
        except docker.errors.ImageNotFound:
            missing.append(reference)
    if missing:
        command = " ".join(["labctl build", *([f"--with {','.join(profiles)}"] if profiles else [])])
        raise BadInput("Images of the lab are not built yet.", evidence=missing, remedy=f"Run `{command}` first.")
    return found


def stale_schemas(labels: Mapping[str, Mapping[str, str]], schemas: Iterable[str], database: str) -> tuple[str, ...]:
    """The services whose database layer was migrated by other packages than their image holds.

    Args:
        labels: Image name to labels.
        schemas: The images with a schema.
        database: The image that holds the migrated schemas.
    """
    stamp = "org.labctl.schema.{}".format
    return tuple(name for name in schemas if labels[name].get(stamp(name)) != labels[database].get(stamp(name)))
