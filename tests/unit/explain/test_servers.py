"""Which of a server's actions the story is about, and the guest's own log."""

from datetime import UTC, datetime, timedelta

from labctl.cloud.server_record import Action, ServerRecord
from labctl.explain.guest import guest_entries
from labctl.explain.server import BEFORE, chosen_action, subject_of, what_nova_says

AT = datetime(2026, 1, 1, tzinfo=UTC)


def action(name: str, minute: int, *, failed: bool = False) -> Action:
    return Action(name, f"req-{name}", AT + timedelta(minutes=minute), failed, ("node1",))


CREATE, RESIZE, REBOOT = action("create", 0), action("resize", 5, failed=True), action("reboot", 9)


def record(*actions: Action, fault_at: datetime | None = None) -> ServerRecord:
    return ServerRecord(
        "vm-1", "web", "ERROR", "broken" if fault_at else "", fault_at, "instance-01", ("port-1",), actions
    )


def test_the_action_before_the_fault() -> None:
    assert chosen_action(record(CREATE, RESIZE, REBOOT, fault_at=AT + timedelta(minutes=6))) == RESIZE
    assert chosen_action(record(CREATE, REBOOT, fault_at=AT + timedelta(minutes=1))) == CREATE


def test_without_a_fault_the_last_that_failed_and_else_the_last() -> None:
    assert chosen_action(record(CREATE, RESIZE, REBOOT)) == RESIZE
    assert chosen_action(record(CREATE, REBOOT)) == REBOOT
    assert chosen_action(record()) is None


def test_logs_are_searched_from_the_action_to_the_next() -> None:
    subject = subject_of(record(CREATE, RESIZE), CREATE)
    assert (subject.begin, subject.end) == (CREATE.begin - BEFORE, RESIZE.begin)
    assert subject.names == {"vm-1", "instance-01", "port-1"}
    assert subject.requests == {"req-create"}
    assert subject_of(record(CREATE), CREATE).end is None


def test_what_nova_says() -> None:
    lines = what_nova_says(record(CREATE, fault_at=AT), CREATE)
    assert lines == ("ERROR: broken", "create, asked for at 2026-01-01 00:00:00 UTC, on node1: req-create")


GUEST = """\
2026-11-21 18:50:06.759+0000: starting up libvirt version: 9.0.0
LC_ALL=C \\
/usr/bin/qemu-system-x86_64 \\
-name guest=instance-00000016 \\
-msg timestamp=on
char device redirected to /dev/pts/0
2026-11-21T18:50:09.100000Z qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory
"""


def test_the_guests_log_without_its_command_line() -> None:
    found = list(guest_entries("node1-libvirt", "instance-00000016", GUEST))
    assert [entry.text.removeprefix("instance-00000016.log: ") for entry in found] == [
        "starting up libvirt version: 9.0.0",
        "char device redirected to /dev/pts/0",
        "qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory",
    ]
    assert found[2].at == datetime(2026, 11, 21, 18, 50, 9, 100000, UTC)
