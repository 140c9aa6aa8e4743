"""What only a look into a lab's containers tells."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from labctl.engine.process import run
from labctl.lab.devices import router_namespace

LOOK_SECONDS = 30.0
WORK = "SET profiling = 1; DO BENCHMARK(100000, MD5('labctl')); SHOW PROFILES"
"""A fixed piece of work for a database server, which says itself how long it took."""
FILE_SYSTEMS = """\
mounts=
while read -r _ mount _; do
    for folder; do
        case $mount in "$folder" | "$folder"/*) mounts="$mounts $mount" ;; esac
    done
done < /proc/mounts
[ -z "$mounts" ] || df -P -k $mounts
"""
"""Only these: df(1) fails where it may not look at one, and a container has many (proc(5), df of POSIX)."""


@dataclass(frozen=True)
class FileSystem:
    """What a service writes to.

    Attributes:
        folder: Where it is mounted.
        size: In KiB.
        available: Likewise; what programs without root's rights can still write.
    """

    folder: str
    size: int
    available: int


def image_checksums(container: str, folder: str) -> dict[str, str]:
    """The checksums of Glance's files.

    Args:
        container: Glance's container.
        folder: Where its files are.

    Returns:
        File name, which is the image's id, to SHA-512.

    Raises:
        CommandFailed: The container does not run.
    """
    script = 'test -d "$1" || exit 0; cd "$1" && find . -maxdepth 1 -type f -exec sha512sum {} +'
    lines = run(["docker", "exec", container, "sh", "-c", script, "sh", folder], timeout=LOOK_SECONDS).stdout
    return {
        name.removeprefix("./"): digest for digest, _, name in (line.partition("  ") for line in lines.splitlines())
    }


def address_translations(container: str, router: str) -> str | None:
    """The rules with which a router translates addresses, as iptables-save writes them.

    Args:
        container: The container of the L3 agent.
        router: The router's id.

    Returns:
        The rules; None where the router has no namespace there.
    """
    namespace = ["ip", "netns", "exec", router_namespace(router)]
    command = ["docker", "exec", container, *namespace, "iptables-save", "-t", "nat"]
    answer = run(command, timeout=LOOK_SECONDS, check=False)
    return answer.stdout if answer.exit_code == 0 else None


def dhcp_servers(container: str) -> tuple[str, ...]:
    """The networks that a dnsmasq runs for, one entry for each of its processes.

    Args:
        container: The container of the DHCP agent.

    Raises:
        CommandFailed: The container does not run.
    """
    script = "for file in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < \"$file\" 2> /dev/null; echo; done"
    lines = run(["docker", "exec", container, "sh", "-c", script], timeout=LOOK_SECONDS).stdout.splitlines()
    found = (re.search(r"^\S*dnsmasq .*?--pid-file=\S*/([0-9a-f-]{36})/pid", line) for line in lines)
    return tuple(match.group(1) for match in found if match)


GUEST_LOG_BYTES = 4 << 20
"""Of the end of what QEMU wrote about a guest: a guest can make it write."""


def guest_log(container: str, domain: str) -> str:
    """What QEMU and libvirt wrote about a guest; nothing where it never was on that node.

    Args:
        container: The container of the node's libvirt.
        domain: libvirt's name of the guest.

    Raises:
        CommandFailed: The container does not run.
    """
    script = f'test ! -e "$1" || tail --bytes={GUEST_LOG_BYTES} "$1"'
    path = f"/var/log/libvirt/qemu/{domain}.log"
    return run(["docker", "exec", container, "sh", "-c", script, "sh", path], timeout=LOOK_SECONDS).stdout


def filter_fault(container: str, check: Iterable[str]) -> str:
    """What is wrong with the lab's table in the machine's packet filter; empty where it is as it was put in place.

    Args:
        container: The container of the service that puts it in place.
        check: The command of that service's health check.
    """
    answer = run(["docker", "exec", container, *check], timeout=LOOK_SECONDS, check=False)
    return "" if answer.exit_code == 0 else answer.stderr.strip() or "it is not as it was put in place"


def node_network(container: str, routers: Iterable[str]) -> str:
    """What the kernel knows of a node's network, as node-network.sh writes it.

    Args:
        container: The node's holder.
        routers: Ids of routers that may be there.

    Raises:
        CommandFailed: The container does not run.
    """
    script = (files("labctl.engine") / "node-network.sh").read_bytes()
    command = ["docker", "exec", "--interactive", container, "in-node", "sh", "-s", "--", *routers]
    return run(command, input=script, timeout=LOOK_SECONDS).stdout


def file_systems(container: str, folders: Iterable[str]) -> tuple[FileSystem, ...]:
    """The file systems of a service's data: those of its volumes, and what is mounted below them.

    Args:
        container: Its container.
        folders: Where its volumes are.

    Raises:
        CommandFailed: The container does not run.
    """
    command = ["docker", "exec", container, "sh", "-euc", FILE_SYSTEMS, "sh", *folders]
    lines = run(command, timeout=LOOK_SECONDS).stdout.splitlines()[1:]
    found = (line.split(None, 5) for line in lines)
    return tuple(FileSystem(folder, int(size), int(available)) for _, size, _, available, _, folder in found)


def database_seconds(container: str) -> float:
    """How long the database takes for a fixed piece of work; some hundredths of a second where it may work as it can.

    Args:
        container: Its container.

    Raises:
        CommandFailed: It does not run, or does not answer.
    """
    command = [
        "docker",
        "exec",
        "--user",
        "0",
        container,
        "mariadb",
        "--batch",
        "--skip-column-names",
        "--execute",
        WORK,
    ]
    return float(run(command, timeout=LOOK_SECONDS).stdout.split("\t")[1])
