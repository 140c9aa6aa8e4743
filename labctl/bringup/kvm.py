"""KVM or emulation: decided by a guest that really runs, not by a device file that exists."""

from dataclasses import dataclass
from pathlib import Path

from labctl.engine.images import image_id
from labctl.engine.process import CommandFailed, run
from labctl.engine.short_lived import docker_run
from labctl.files import write_file

PROBE_SECONDS = 20.0
"""For the container and the probe in it, which gives its guest 3 seconds."""


@dataclass(frozen=True)
class Virtualization:
    """How guests will run.

    Attributes:
        type: kvm or qemu, as nova's `[libvirt] virt_type` calls them.
        reason: Why, for people.
    """

    type: str
    reason: str


def virtualization(
    image: str, cache: Path, *, may_probe: bool = True, device: Path = Path("/dev/kvm")
) -> Virtualization:
    """Probes KVM, once for each boot of the machine and each libvirt image.

    Args:
        image: Reference of the libvirt image, which holds QEMU and the probe.
        cache: A file that keeps the answer.
        may_probe: Whether a guest may be run to find out; else KVM is taken for good where nobody knows.
        device: KVM's device.
    """
    if not device.exists():
        return Virtualization("qemu", f"there is no {device}")
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    key = f"{boot} {image_id(image)}"
    if cache.exists():
        seen, _, answer = cache.read_text().partition("\n")
        if seen == key:
            kind, _, reason = answer.partition(" ")
            return Virtualization(kind, reason)
    if not may_probe:
        return Virtualization("kvm", f"{device} is there, and no guest has run yet to prove it")
    found = probe(image, device)
    write_file(cache, f"{key}\n{found.type} {found.reason}".encode())
    return found


def probe(image: str, device: Path) -> Virtualization:
    """Runs the probe guest in a container that holds KVM's device and nothing else."""
    command = docker_run("--network", "none", "--device", str(device), image, "probe-kvm")
    try:
        answer = run(command, timeout=PROBE_SECONDS, check=False)
    except CommandFailed as error:
        return Virtualization("qemu", f"the probe of KVM did not end: {error.what}")
    said = (answer.stdout.strip().splitlines() or answer.stderr.strip().splitlines() or ["no word"])[-1]
    return Virtualization("kvm" if answer.exit_code == 0 else "qemu", said)
