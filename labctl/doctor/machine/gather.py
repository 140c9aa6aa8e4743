"""Looks at the machine; what cannot be looked at is said."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labctl.bringup.kvm import virtualization
from labctl.bringup.machine import available_memory_mb, free_disk_mb, wildcard_ports
from labctl.bringup.prepare import with_range
from labctl.bringup.up import runtime_references, somewhere
from labctl.catalog.folders import CatalogFolders
from labctl.doctor.machine.facts import LabDevice, MachineFacts
from labctl.engine.containers import service_states
from labctl.engine.host import kernel_limits, processor_flags
from labctl.engine.images import image_id
from labctl.engine.machine import lacking_features, packet_filters
from labctl.engine.process import CommandFailed
from labctl.engine.routes import Device, routes_and_devices
from labctl.errors import LabctlError, MachineConflict
from labctl.lab.addresses import AddressPlan, broker_port
from labctl.lab.file import LabFile
from labctl.lab.state import LabState, cache_root
from labctl.render.lab import LabPlan, bridge_device, host_ports
from labctl.render.ports import Audience

if TYPE_CHECKING:
    import docker

KVM = Path("/dev/kvm")
AGENTS = "neutron-agents"
LIBVIRT = "libvirt"


def gather_machine(
    folders: CatalogFolders, client: "docker.DockerClient | LabctlError", lab: LabFile
) -> tuple[MachineFacts, tuple[str, ...]]:
    """Looks at the machine for a lab, which may be up already.

    Args:
        folders: The catalog.
        client: The engine, or why there is none.
        lab: The lab.

    Returns:
        The facts, and what could not be looked at.
    """
    routes, devices = routes_and_devices()
    facts = MachineFacts(
        lab=lab.name,
        nodes=len(lab.nodes),
        is_up=False,
        limits=kernel_limits(),
        available_mb=available_memory_mb(),
        taken_ports=wildcard_ports(),
        has_kvm=KVM.exists(),
        processor=processor_flags(),
        routes=routes,
    )
    if isinstance(client, LabctlError):
        return replace(facts, refusal=client), ("all that needs the engine",)
    references = runtime_references(folders, lab.release, lab.profiles)
    state = LabState(lab.name)
    plan = somewhere(state, lab, references)
    facts = replace(
        with_engine(facts, client.info()),
        is_up=bool(service_states(client, lab.name)),
        free_disk=free_disk_mb(client),
        wanted_ports=host_ports(folders, plan),
        asked_ports=host_ports(folders, plan, (Audience.PUBLIC, Audience.NODES)).keys(),
        broker_port=broker_port(tls=lab.tls),
    )
    try:
        chosen = with_range(client, state, lab).address_range
    except MachineConflict as error:
        return replace(facts, range_refusal=error), ("the lab's networks",)
    assert chosen  # noqa: S101 - with_range fills it in
    has_range = state.exists
    facts = replace(
        facts,
        address_range=chosen if has_range else None,
        devices=lab_devices(plan, AddressPlan(chosen), devices, only_mgmt=not facts.is_up),
    )
    return with_probes(facts, references)


def with_engine(facts: MachineFacts, info: dict[str, Any]) -> MachineFacts:
    """Adds what the engine says of itself (Docker Engine API, SystemInfo)."""
    return replace(
        facts,
        is_rootless=any("name=rootless" in option for option in info.get("SecurityOptions") or ()),
        cgroup_version=str(info.get("CgroupVersion", "")),
    )


def lab_devices(
    plan: LabPlan, addresses: AddressPlan, devices: tuple[Device, ...], *, only_mgmt: bool
) -> tuple[LabDevice, ...]:
    """The lab's bridges; before there is a lab only that of the control plane, since Docker adds rules for others."""
    mtus = {device.name: device.mtu for device in devices}
    subnets = {"mgmt": addresses.mgmt, "tunnel": addresses.tunnel, "provider": addresses.provider}
    names = {network: bridge_device(plan, network) for network in subnets}
    return tuple(
        LabDevice(network, names[network], subnet, mtus.get(names[network], 0))
        for network, subnet in subnets.items()
        if network == "mgmt" or not only_mgmt
    )


def with_probes(facts: MachineFacts, references: "dict[str, str]") -> tuple[MachineFacts, tuple[str, ...]]:
    """Adds what only containers of the lab's images can find out."""
    left_out = []
    try:
        if image_id(references[AGENTS]):
            agents = references[AGENTS]
            facts = replace(facts, lacking=lacking_features(agents), filters=packet_filters(agents))
        else:
            left_out.append(f"kernel and packet filters: {references[AGENTS]} is not built")
        if facts.has_kvm and image_id(references[LIBVIRT]):
            found = virtualization(references[LIBVIRT], cache_root() / "virtualization", device=KVM)
            facts = replace(facts, no_kvm=found.reason if found.type == "qemu" else "")
        elif facts.has_kvm:
            left_out.append(f"KVM: {references[LIBVIRT]} is not built")
    except CommandFailed as error:
        left_out.append(f"what containers find out: {error.what}")
    return facts, tuple(left_out)
