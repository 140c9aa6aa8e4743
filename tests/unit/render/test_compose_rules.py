"""What holds for each service of a rendered lab with every profile, and between two labs on one machine."""

import re
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations
from typing import Any

import pytest
from fixed_lab import FOLDERS, IMAGES, REFERENCES, make_plan, read_yaml, render

from labctl.bringup.prepare import make_plan as plan_of_lab_file
from labctl.lab.file import LabFile
from labctl.lab.state import LabState
from labctl.render.compose import FILTER
from labctl.render.lab import LabPlan, host_ports

PLAN = make_plan(profiles=tuple(IMAGES.brought_by))
FILES = render(PLAN)
COMPOSE: dict[str, Any] = read_yaml(FILES["compose.yaml"])
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
NODES = tuple(node.name for node in PLAN.nodes)
JOBS = frozenset(
    other
    for service in SERVICES.values()
    for other, how in service.get("depends_on", {}).items()
    if how["condition"] == "service_completed_successfully"
)

UNIX_SOCKETS_ALONE = frozenset({"mariadb", "memcached"})
"""Services without a network: who mounts the volume of their socket reaches them, and nobody else."""

each_service = pytest.mark.parametrize("name", SERVICES)


def is_of_a_node(name: str) -> bool:
    return name in NODES or name.startswith(tuple(f"{node}-" for node in NODES))


@each_service
def test_a_service_can_be_found_again(name: str) -> None:
    service = SERVICES[name]
    assert service["container_name"] == f"fixed-{name}"
    assert service["labels"]["org.labctl.lab"] == "fixed"
    assert service["labels"]["org.labctl.owner"] == PLAN.owner
    assert service["labels"]["org.labctl.service"] == name
    assert re.fullmatch("[0-9a-f]{16}", service["labels"]["org.labctl.configuration"])


@each_service
def test_a_service_comes_back_and_tells_how_it_is_or_is_a_job(name: str) -> None:
    service = SERVICES[name]
    if name in JOBS:
        assert service["restart"].startswith("on-failure:")
        assert "healthcheck" not in service
        return
    assert service["restart"] == "unless-stopped"
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    assert all(isinstance(part, str) for part in check["test"]), check["test"]
    assert {"interval", "timeout", "retries", "start_period", "start_interval"} <= set(check)


NEVER = frozenset(
    {"ALL", "SYS_MODULE", "SYS_RAWIO", "SYS_BOOT", "SYS_TIME", "MKNOD", "MAC_ADMIN", "MAC_OVERRIDE", "BPF"}
)
"""Capabilities that no container has: the machine's own kernel, hardware and devices."""


@each_service
def test_only_libvirt_is_privileged(name: str) -> None:
    service = SERVICES[name]
    if name.endswith("-libvirt"):
        assert service["privileged"] is True
        return
    assert not service.get("privileged")
    assert service["cap_drop"] == ["ALL"]
    assert not {"devices", "pid", "ipc", "cgroup", "group_add"} & set(service)
    if is_of_a_node(name):
        assert service["user"] == "0:0"
        assert not NEVER & set(service["cap_add"])


@each_service
def test_what_needs_no_rights_to_serve_a_node_gives_them_up(name: str) -> None:
    service = SERVICES[name]
    if name.endswith("-metadata-agent"):
        assert service["command"][:3] == ["join-node", "--as", PLAN.user]
        assert service["read_only"] is True
        assert service["security_opt"] == ["no-new-privileges:true"]
    elif name.endswith("-sshd"):
        assert service["command"][:2] == ["join-node", "--with"]
        assert not {"sys_admin", "net_admin", "setpcap"} & set(service["command"][2].split(","))


@each_service
def test_the_control_plane_has_no_rights(name: str) -> None:
    service = SERVICES[name]
    if is_of_a_node(name):
        return
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert service["security_opt"] == ["no-new-privileges:true"]
    rights = {"cap_add", "devices", "pid", "ipc", "group_add"} & set(service)
    if name == FILTER:
        assert (service["user"], rights, service["cap_add"]) == ("0:0", {"cap_add"}, ["NET_ADMIN", "DAC_OVERRIDE"])
        return
    assert service["user"] == PLAN.user
    assert not rights


@each_service
def test_nodes_mount_no_sockets_of_database_and_cache(name: str) -> None:
    sockets = {"mariadb-socket", "memcached-socket"}
    assert sockets <= set(COMPOSE["volumes"])
    if is_of_a_node(name) or name in ("rabbitmq", FILTER):
        assert sockets.isdisjoint(volume.split(":")[0] for volume in SERVICES[name].get("volumes", []))


@each_service
def test_what_has_a_network_waits_for_the_packet_filter(name: str) -> None:
    """Nodes' services have none: they wait for the node's holder, which has."""
    service = SERVICES[name]
    waits = service.get("command", [""])[0] == "behind-filter"
    assert waits == ((service.get("network_mode") == "host" or "networks" in service) and name != FILTER)
    assert waits == ("filter:/run/filter:ro" in service.get("volumes", []))


@each_service
def test_a_service_is_limited(name: str) -> None:
    """In memory and in processes; a limit that is no number, or none, would be no limit."""
    memory = re.fullmatch(r"([1-9][0-9]*)g", SERVICES[name]["mem_limit"])
    assert memory
    assert 1 <= int(memory[1]) <= 8
    assert 100 <= SERVICES[name]["pids_limit"] <= 4096
    # These would take what `mem_limit` gives, or give it otherwise (compose-spec, 05-services.md).
    assert not {"memswap_limit", "mem_reservation", "oom_kill_disable", "deploy"} & set(SERVICES[name])


@each_service
def test_configuration_is_mounted_read_only_and_from_the_project_alone(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        if source in COMPOSE["volumes"]:
            continue
        if name.endswith("-libvirt") and source == "/sys/fs/cgroup":
            continue  # guests leave the container's control group
        if f"{source}/".startswith(f"/run/labctl/fixed/{name.partition('-')[0]}/"):
            assert is_of_a_node(name) or name in NODES, volume
            continue
        assert source.startswith("./etc/"), volume
        assert volume.endswith(":ro"), volume


@each_service
def test_a_service_runs_an_image_of_the_catalog_that_is_never_pulled(name: str) -> None:
    assert SERVICES[name]["image"] in REFERENCES.values()
    assert SERVICES[name]["pull_policy"] == "never"


@each_service
def test_what_a_service_waits_for_is_there_and_can_come_true(name: str) -> None:
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        wanted = "service_completed_successfully" if other in JOBS else "service_healthy"
        assert how["condition"] in (wanted, "service_started"), other


@each_service
def test_a_service_is_on_the_host_network_or_in_a_namespace_of_the_lab(name: str) -> None:
    service = SERVICES[name]
    mode = service.get("network_mode")
    if mode is None:
        assert set(service["networks"]) <= set(COMPOSE["networks"])
    elif is_of_a_node(name):
        assert mode == "none"
        assert service["command"][0] == "join-node"
        assert service["labels"]["org.labctl.node"] == name.partition("-")[0]
    elif name in UNIX_SOCKETS_ALONE:
        assert mode == "none"
    else:
        assert mode == "host"
    assert "ports" not in service, "published ports listen on every address of the machine"


def test_no_service_waits_for_itself() -> None:
    waiting = {name: set(service.get("depends_on", {})) for name, service in SERVICES.items()}
    while ready := {name for name, others in waiting.items() if not others & set(waiting)}:
        waiting = {name: others for name, others in waiting.items() if name not in ready}
    assert waiting == {}


def test_every_image_that_containers_run_is_used_or_the_client() -> None:
    others = (make_plan(tls=True), make_plan(profiles=PLAN.profiles, image_backend="rbd"))
    composes = [COMPOSE, *(read_yaml(render(plan)["compose.yaml"]) for plan in others)]
    used = {service["image"] for compose in composes for service in compose["services"].values()}
    assert set(REFERENCES.values()) - used == {REFERENCES["client"]}


def test_every_volume_and_network_is_used_and_carries_the_lab() -> None:
    text = str([service.get("volumes", []) for service in SERVICES.values()])
    for section in ("volumes", "networks"):
        for name, definition in COMPOSE[section].items():
            assert definition["labels"] == {"org.labctl.lab": "fixed", "org.labctl.owner": PLAN.owner}, name
    assert [name for name in COMPOSE["volumes"] if f"'{name}:" not in text] == []
    assert set(COMPOSE["networks"]) == {"mgmt", "tunnel", "provider"}


def test_only_the_control_plane_mounts_the_sockets_of_database_and_cache() -> None:
    users = {
        name
        for name, service in SERVICES.items()
        if any(volume.startswith(("mariadb-socket:", "memcached-socket:")) for volume in service.get("volumes", []))
    }
    assert users >= {"mariadb", "memcached", "keystone", "nova-api", "neutron-server", "swift-proxy"}
    assert [name for name in users if is_of_a_node(name)] == []


def test_services_are_told_to_listen_on_addresses_of_the_lab_alone() -> None:
    setting = r"^\s*\S*(?:bind|listen)\S*\s*=\s*\"?([\d.]+\.[\d.]+)(?::\d+)?\"?$"
    found = set()
    for path, content in FILES.items():
        if path.startswith("etc/"):
            for address in re.findall(setting, content.decode(), re.MULTILINE):
                own = IPv4Address(address)
                assert own in PLAN.addresses.mgmt or own == PLAN.addresses.loopback, f"{path}: {address}"
                found.add(path)
    # These listen by their own configuration; the others are told on their command lines.
    assert {"etc/swift/object-server.conf", "etc/rabbitmq/rabbitmq.conf", "etc/glance/glance-api.conf"} <= found
    lines = b"\n".join(FILES.values()).decode().splitlines()
    assert not [line for line in lines if "0.0.0.0" in line and not line.startswith("disallowed_hosts")]  # noqa: S104


@each_service
def test_addresses_in_commands_are_the_labs_own(name: str) -> None:
    lab = PLAN.addresses.range
    texts = [*SERVICES[name].get("command", []), *SERVICES[name].get("healthcheck", {}).get("test", [])]
    for text in texts:
        for address in re.findall(r"\d+\.\d+\.\d+\.\d+", text):
            assert IPv4Address(address) in lab or IPv4Address(address) == PLAN.addresses.loopback, text


def test_bridges_have_names_that_the_kernel_takes() -> None:
    names = [each["driver_opts"]["com.docker.network.bridge.name"] for each in COMPOSE["networks"].values()]
    assert len(set(names)) == 3
    assert all(len(name) <= 15 for name in names)


def everything_that_must_be_unique(plan: LabPlan) -> dict[str, set[str]]:
    """What no two things on one machine can share."""
    compose = read_yaml(render(plan)["compose.yaml"])
    services, networks = compose["services"], compose["networks"]
    return {
        "project": {compose["name"]},
        "container": {service["container_name"] for service in services.values()},
        "bridge": {each["driver_opts"]["com.docker.network.bridge.name"] for each in networks.values()},
        "range": {entry["subnet"] for each in networks.values() for entry in each["ipam"]["config"]},
        "address": {
            network["ipv4_address"] for service in services.values() for network in service.get("networks", {}).values()
        },
    }


def test_labs_with_names_and_ranges_of_their_own_share_nothing() -> None:
    # Names made to collide: container names are NAME-SERVICE.
    names = ("lab", "lab-node1", "lab-net", "lab-nova", "lab-neutron", "lab2")
    ranges = IPv4Network("10.77.0.0/16").subnets(new_prefix=22)
    found = []
    for name, each in zip(names, ranges, strict=False):
        lab = LabFile(name=name, address_range=each)
        found.append(everything_that_must_be_unique(plan_of_lab_file(LabState(name), lab, REFERENCES, "kvm")))
    for one, other in combinations(found, 2):
        for kind in one:
            assert not one[kind] & other[kind], kind


def test_addresses_in_the_compose_file_are_those_of_the_plan() -> None:
    for node in PLAN.nodes:
        addresses = {name: each["ipv4_address"] for name, each in SERVICES[node.name]["networks"].items()}
        assert addresses == {"mgmt": str(node.mgmt), "tunnel": str(node.tunnel), "provider": str(node.provider)}


def test_ports_of_the_control_plane_are_known_before_anything_is_written() -> None:
    ports = host_ports(FOLDERS, make_plan())
    wanted = {
        5000: "keystone",
        9292: "glance",
        8778: "placement",
        8774: "nova-api",
        8775: "nova-api",
        9696: "neutron-server",
        6080: "nova-novncproxy",
    }
    assert ports == wanted
