"""Whether there is an engine, and enough of everything that a lab takes."""

from collections.abc import Callable, Iterator

from labctl.bringup.machine import NODE_DISK_MB, check_disk, check_memory, check_ports
from labctl.doctor.check import Evidence, check, refusal
from labctl.doctor.machine.facts import MachineFacts
from labctl.errors import LabctlError

SCARCE_MB = 300
"""Memory below which a lab that is up has the kernel end its processes before long."""
CONTROL_PLANE_CONTAINERS = 30
NODE_CONTAINERS = 7
MOST_OPEN = 0.9


def _refused(look: Callable[[], None]) -> Iterator[Evidence]:
    """What `up` refuses, in its own words."""
    try:
        look()
    except LabctlError as error:
        yield refusal(error)


@check(
    "engine",
    title="No usable Docker engine",
    why="Everything of a lab runs in it.",
    remedy="`make setup` installs one; `labctl engine start` starts it where no init system does.",
)
def engine(facts: MachineFacts) -> Iterator[Evidence]:
    """The engine: there, new enough, ours to use, with its plugins."""
    if facts.refusal:
        yield refusal(facts.refusal)


@check(
    "engine-rootless",
    title="The engine runs without root's rights",
    why="Nodes are privileged containers that make bridges, namespaces and guests: a rootless engine cannot.",
    remedy="Use an engine that runs as root: `docker context use default`.",
)
def engine_rootless(facts: MachineFacts) -> Iterator[Evidence]:
    """Rootless mode, as the engine says of itself."""
    if facts.is_rootless:
        yield Evidence(("`docker info` lists rootless among its security options",))


@check(
    "memory",
    title="Too little memory",
    why="The kernel ends the largest process when memory runs out: the database, or a server's QEMU.",
    remedy="Take fewer nodes (`labctl scale --nodes N`), or end something else.",
)
def memory(facts: MachineFacts) -> Iterator[Evidence]:
    """Before a lab what `up` asks for; while it is up, that some is left."""
    if not facts.is_up:
        yield from _refused(lambda: check_memory(facts.nodes, facts.available_mb))
    elif facts.available_mb < SCARCE_MB:
        yield Evidence((f"{facts.available_mb} MB are available",))


@check(
    "disk",
    title="Too little room on the disk",
    why="A full disk stops the database, and servers pause at their next write.",
    remedy="Free some: `docker system df` shows what images and the build cache take, `labctl prune --dry-run` what "
    "labctl itself would give back.",
)
def disk(facts: MachineFacts) -> Iterator[Evidence]:
    """Before a lab what `up` asks for; while it is up, room for what its nodes write."""
    if facts.free_disk is None:
        return
    free, folder = facts.free_disk
    if not facts.is_up:
        yield from _refused(lambda: check_disk(facts.nodes, free, folder))
    elif free < NODE_DISK_MB * facts.nodes:
        yield Evidence((f"{free} MB are free in {folder}, where the engine keeps its volumes",))


@check(
    "ports",
    title="Ports that the lab needs are taken",
    why="The service that finds its port taken does not start.",
    remedy="`ss -ltnp` shows by whom. End it, or have it listen on 127.0.0.1 only.",
)
def ports(facts: MachineFacts) -> Iterator[Evidence]:
    """Sockets that listen on all addresses."""
    if not facts.is_up and facts.wanted_ports and facts.taken_ports:
        wanted, taken = facts.wanted_ports, facts.taken_ports
        yield from _refused(lambda: check_ports(wanted, taken))


@check(
    "inotify",
    title="Few inotify instances",
    why="With cgroup version 2 containerd takes one for each container, and dnsmasq does not start without one.",
    remedy="sysctl -w fs.inotify.max_user_instances=1024, and the same line in /etc/sysctl.d/ for the next boot.",
)
def inotify(facts: MachineFacts) -> Iterator[Evidence]:
    """The limit of one user, against the containers of the lab."""
    needed = CONTROL_PLANE_CONTAINERS + NODE_CONTAINERS * (facts.nodes + 1)
    have = facts.limits.inotify_instances
    if facts.cgroup_version == "2" and have < needed:
        line = f"fs.inotify.max_user_instances is {have}; a lab of {facts.nodes} node(s) takes up to {needed}"
        yield Evidence((line,), is_error=False)


@check(
    "open-files",
    title="The machine has nearly no files left to open",
    why="Programs fail at their next file or connection.",
    remedy="sysctl -w fs.file-max=N with a larger number; `lsof | sort` shows who holds them.",
)
def open_files(facts: MachineFacts) -> Iterator[Evidence]:
    """Open files against the most of them, of the whole machine."""
    limits = facts.limits
    if limits.open_files > MOST_OPEN * limits.most_open_files:
        yield Evidence((f"{limits.open_files} of {limits.most_open_files} files are open (fs.file-nr)",))


CHECKS = (engine, engine_rootless, memory, disk, ports, inotify, open_files)
