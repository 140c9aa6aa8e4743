"""What the kernel and the processor can do."""

from collections.abc import Iterator

from labctl.doctor.check import Evidence, check
from labctl.doctor.machine.facts import MachineFacts

VIRTUALIZATION_FLAGS = frozenset({"vmx", "svm"})


@check(
    "kernel-feature",
    title="The kernel lacks something that nodes need",
    why="Neutron's agents and the servers' networks are made of it: an agent fails where it first needs it.",
    remedy="`modprobe MODULE`, the module being in brackets; a kernel that comes without it needs to be replaced "
    "(cloud kernels have fewer modules than the usual ones).",
)
def kernel_feature(facts: MachineFacts) -> Iterator[Evidence]:
    """What a container with a network namespace of its own could not make."""
    for feature in facts.lacking:
        yield Evidence((feature,))


@check(
    "kvm",
    title="KVM is there, and guests do not run under it",
    why="Guests are emulated, which is some ten times slower. Taken at its word, /dev/kvm would give a lab whose "
    "servers hang.",
    remedy="Where the machine is a guest itself, its host must give it nested virtualisation that works; there is "
    "nothing to do in the lab.",
)
def kvm(facts: MachineFacts) -> Iterator[Evidence]:
    """A device that answers, and a probe guest that did not run."""
    if facts.has_kvm and facts.no_kvm:
        yield Evidence((f"/dev/kvm is there, and a probe guest did not run: {facts.no_kvm}",), is_error=False)


@check(
    "nested-virtualisation",
    title="A guest without virtualisation of its own",
    why="Guests are emulated, which is some ten times slower.",
    remedy="On its host: `modprobe kvm_intel nested=1` (or kvm_amd), and the CPU mode host-passthrough for this guest.",
)
def nested_virtualisation(facts: MachineFacts) -> Iterator[Evidence]:
    """A processor that knows that it is virtual, and has neither vmx nor svm."""
    if "hypervisor" in facts.processor and not facts.processor & VIRTUALIZATION_FLAGS and not facts.has_kvm:
        line = "the processor's flags (/proc/cpuinfo) have hypervisor, and neither vmx nor svm"
        yield Evidence((line,), is_error=False)


CHECKS = (kernel_feature, kvm, nested_virtualisation)
