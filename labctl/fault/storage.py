"""What services write to: a disk that is full, a database that cannot keep up."""

from labctl.fault.change import Change
from labctl.fault.fault import Where, fault
from labctl.fault.scene import Scene

INSTANCES = "/var/lib/nova/instances"
"""Where nova-compute keeps servers' disks (nova/conf/compute.py, instances_path)."""


@fault(
    "disk-full",
    title="A compute node without room for disks",
    does=f"Mounts a file system of 1 MB over {INSTANCES} in the container of nova-compute, and fills it.",
    where=Where.COMPUTE,
    verdict="disk-full",
)
def disk_full(scene: Scene) -> Change:
    """The machine's disk is not touched; servers that run there keep their disks, which libvirt has open."""
    container = scene.of_node("nova-compute")
    mounted = f"grep --quiet ' {INSTANCES} tmpfs ' /proc/mounts"
    fill = f"mount -t tmpfs -o size=1m full {INSTANCES}; head -c 1048576 /dev/zero > {INSTANCES}/full"
    return Change(
        inject=(scene.docker("exec", "--user", "0", container, "sh", "-euc", fill),),
        clear=(
            scene.docker("exec", "--user", "0", container, "sh", "-euc", f"if {mounted}; then umount {INSTANCES}; fi"),
        ),
    )


@fault(
    "database-slow",
    title="A database that cannot keep up",
    does="Gives the container of MariaDB a fiftieth of a processor.",
    where=Where.LAB,
    verdict="database-slow",
)
def database_slow(scene: Scene) -> Change:
    """What a busy neighbour or a slow disk does: everything works, and nothing in time."""
    container = scene.container("mariadb")
    return Change(
        inject=(scene.docker("update", "--cpu-period", "100000", "--cpu-quota", "2000", container),),
        clear=(scene.docker("update", "--cpu-quota", "-1", container),),
    )


FAULTS = (disk_full, database_slow)
