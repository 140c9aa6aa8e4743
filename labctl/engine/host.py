"""What the machine's kernel allows, and what its processor is."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Limits:
    """Limits of the kernel, for the whole machine.

    Attributes:
        inotify_instances: How many each user may have (inotify(7)).
        open_files: How many files are open.
        most_open_files: How many may be.
        filters_bridges: Whether packets that stay in a bridge go through iptables.
    """

    inotify_instances: int
    open_files: int
    most_open_files: int
    filters_bridges: bool


def kernel_limits(root: Path = Path("/proc/sys")) -> Limits:
    """Reads the limits (proc_sys_fs(5))."""
    opened, _, most = (root / "fs/file-nr").read_text().split()
    bridges = root / "net/bridge/bridge-nf-call-iptables"
    return Limits(
        inotify_instances=int((root / "fs/inotify/max_user_instances").read_text()),
        open_files=int(opened),
        most_open_files=int(most),
        filters_bridges=bridges.exists() and bridges.read_text().strip() == "1",
    )


def processor_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """What the first processor can do; `hypervisor` where the machine is a guest itself."""
    lines = (line.partition(":") for line in cpuinfo.read_text().splitlines())
    return frozenset(next((value for name, _, value in lines if name.strip() == "flags"), "").split())
