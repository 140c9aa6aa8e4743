"""Whether services can write, and whether the database keeps up."""

from collections.abc import Iterator

from labctl.doctor.check import Evidence, check
from labctl.doctor.lab.facts import LabFacts

LEAST_PERCENT = 1
SLOW_SECONDS = 1.0
"""Some thirty times what it takes on a slow machine, and more than where twenty others want to work, too."""


@check(
    "disk-full",
    title="A service has no room to write",
    why="Its database, queues, images or servers' disks cannot grow: it fails, or waits, and its errors name other "
    "things.",
    remedy="`df` shows what the machine has left, `labctl prune` removes what labs left. What is mounted over a "
    "service's folder has a size of its own: `labctl exec SERVICE df`.",
)
def disk_full(facts: LabFacts) -> Iterator[Evidence]:
    """File systems of services' data that are full, or nearly."""
    for service, found in facts.file_systems.items():
        for one in found:
            if one.available * 100 < one.size * LEAST_PERCENT:
                yield Evidence((f"{service}: {one.folder} has {one.available} of {one.size} KiB left",))


@check(
    "database-slow",
    title="The database is slow",
    why="Every call of an API asks it several times: clients wait, agents miss their reports and are called dead.",
    remedy="`docker inspect` shows limits on the container's CPU, `docker stats` what the machine does; "
    "`labctl logs mariadb` what it complains of.",
)
def database_slow(facts: LabFacts) -> Iterator[Evidence]:
    """The server's own time for a fixed piece of work."""
    if facts.database_seconds is not None and facts.database_seconds > SLOW_SECONDS:
        yield Evidence(
            (f"a piece of work that takes it some hundredths of a second took {facts.database_seconds:.1f} s",)
        )


CHECKS = (disk_full, database_slow)
