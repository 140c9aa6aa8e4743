"""An attacker's look at a lab: whatever answers, from where he may stand, is in a list here that says why it may.

Where he stands:

- on the machine, as a user who is in no group (uid 65534);
- in a guest, over ssh; and on the lab's provider network itself, beside its routers, where no filter of a node is;
- on a node, as its root;
- in a container on another of the engine's networks;
- on another lab's provider network, with that lab's own filter: all that a guest of it could send comes from there;
- in the local network, on a machine that routes the lab's addresses by this one, which forwards them or does not.

Every TCP and UDP port is asked of the gateways of the lab and of a node; of other addresses those ports that something
listens on, anywhere on the machine or in the lab (tests/lab/scan.py). A listener of this test's own on all
addresses, and one on the lab's gateway, show that the look would find something: from some places they answer.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address
from pathlib import Path

import pytest

from labctl.bringup.prepare import make_plan
from labctl.bringup.up import runtime_references
from labctl.catalog.folders import catalog_folders
from labctl.lab.addresses import CANDIDATES, AddressPlan
from labctl.lab.file import LabFile, dump_lab_file, load_lab_file, with_values
from labctl.lab.names import filter_table, node_folders
from labctl.lab.state import LabState
from labctl.render.lab import LabPlan, bridge_device, render_configuration
from tests.lab.commands import docker, execute, inspect, labctl
from tests.lab.conftest import Lab
from tests.lab.guests import Guests
from tests.lab.machine import OBSERVER, probe

SCAN = Path(__file__).with_name("scan.py").read_text()
NOBODY = 65534

PUBLIC = {
    5000: "Keystone",
    6080: "consoles in the browser",
    8774: "Nova",
    8778: "Placement, which has an endpoint in the catalog as the others have",
    9292: "Glance",
    9696: "Neutron",
}
"""On the lab's gateway, for the users of the cloud: on this machine and in guests."""

FOR_NODES = {8775: "metadata, which the agents of nodes sign their questions to"}
"""On the lab's gateway, for nodes."""

BETWEEN_NODES = {
    22: "sshd, for copies of disks; it takes the lab's own keys",
    16514: "libvirt, for live migration; it takes certificates of the lab's own authority",
}
"""On a compute node's management address, for other nodes."""

BROKER = 5672
"""On its own address, for nodes, each with the services' password."""

VXLAN = 8472
"""On a node's tunnel address, for other nodes: what servers say to each other (the kernel's own port)."""

NEVER = frozenset({3306, 11211, 6200, 6201, 6202})
"""Of the database, the cache and Swift's storage servers, on which no address of the lab answers, whoever asks. A value
in the cache is a command for the services: they unpickle it."""

ON_ALL, ON_GATEWAY = 4801, 4802
"""Where this test's own listeners are: on every address of the machine, and on the lab's gateway."""

LISTEN = f"""
import socket, sys, time
kept = [socket.create_server(("", {ON_ALL})), socket.create_server((sys.argv[1], {ON_GATEWAY}))]
kept.append(socket.create_server(("::", {ON_ALL}), family=socket.AF_INET6))
print("listens", flush=True)
time.sleep(3600)
"""

CONNECT_IPV6 = """
import socket, sys
for address in sys.argv[2].split(","):
    for port in sys.argv[1].split(","):
        with socket.socket(socket.AF_INET6) as sock:
            sock.settimeout(0.5)
            if sock.connect_ex((address, int(port), 0, socket.if_nametoindex("eth0"))) == 0:
                print(f"{address} {port}")
"""

AMONG_OTHERS = "198.51.100.0/24"
"""The network of the neighbour, one for documentation (RFC 5737)."""


@dataclass(frozen=True)
class Scene:
    """What there is to look at.

    Attributes:
        lab: The lab.
        full: The addresses of which every port is asked.
        some: Those of which only `ports` are.
        ports: What listens anywhere, and this test's own.
        tcp_ports: Those of them that are of TCP.
        wildcards: What the machine itself listens on for all addresses.
        others: Addresses of the machine that are not the lab's.
        link_local: Those of IPv6, of the lab's bridge to the provider network.
    """

    lab: Lab
    full: tuple[str, ...]
    some: tuple[str, ...]
    ports: tuple[int, ...]
    tcp_ports: tuple[int, ...]
    wildcards: frozenset[int]
    others: tuple[str, ...]
    link_local: tuple[str, ...]

    @property
    def plan(self) -> AddressPlan:
        return self.lab.plan

    def public(self) -> set[str]:
        return {f"tcp {self.plan.gateway}:{port}" for port in PUBLIC}

    def asked(self, *more: str, but: str = "", only_some: bool = False) -> str:
        full = () if only_some else tuple(one for one in self.full if one != but)
        some = (*(one for one in (*self.full, *self.some) if one not in (*full, but)), *more)
        return json.dumps({"full": full, "some": some, "ports": self.ports})


def answers(command: list[str], asked: str) -> set[str]:
    """What a scan finds: "tcp ADDRESS:PORT" for what is open, "udp ADDRESS" where any datagram arrives."""
    ran = execute([*command, "-", asked], stdin=SCAN, timeout=600)
    assert ran.code == 0, str(ran)
    found: Mapping[str, Mapping[str, list[int]]] = json.loads(ran.out)
    tcp = {f"tcp {address}:{port}" for address, seen in found.items() for port in seen["tcp"]}
    return tcp | {f"udp {address}" for address, seen in found.items() if seen["udp"]}


def observer(network: str, *options: str) -> list[str]:
    """A container that may send what it likes, on a network of the engine's."""
    rights = ("--cap-drop", "ALL", "--cap-add", "NET_RAW", *options)
    return [
        "docker",
        "run",
        "--rm",
        "--interactive",
        "--network",
        network,
        *rights,
        "--entrypoint",
        "python3",
        OBSERVER,
    ]


@contextmanager
def running(name: str, *arguments: str) -> Iterator[str]:
    """A container that runs meanwhile."""
    docker("run", "--detach", "--name", name, *arguments)
    try:
        yield name
    finally:
        docker("rm", "--force", name)


@contextmanager
def network(name: str, *options: str) -> Iterator[str]:
    """A network of the engine's that is there meanwhile."""
    docker("network", "create", *options, name)
    try:
        yield name
    finally:
        docker("network", "rm", name)


def gateway_of(name: str) -> str:
    return str(inspect("network", [name])[0]["IPAM"]["Config"][0]["Gateway"])


@pytest.fixture(scope="module")
def scene(lab: Lab, reached: Guests) -> Iterator[Scene]:
    plan = lab.plan
    listen = ("--network", "host", "--entrypoint", "python3", OBSERVER, "-c", LISTEN, str(plan.gateway))
    with running("labctl-test-listener", *listen) as name:
        while "listens" not in docker("logs", name):
            assert inspect("container", [name])[0]["State"]["Running"]
        yield look(lab)


def look(lab: Lab) -> Scene:
    plan = lab.plan
    seen = probe("containers")
    everywhere = [row for rows in seen["listening"].values() for row in rows]
    here = seen["listening"][seen["host_network"]]
    machine = [line.split() for line in probe("machine")["interfaces"] if "/" in line]
    addresses = [(device, text.partition("/")[0]) for device, text in machine]
    options = inspect("network", [f"{lab.state.project}_provider"])[0]["Options"]
    provider = options["com.docker.network.bridge.name"]
    return Scene(
        lab=lab,
        full=(str(plan.gateway), str(plan.provider_gateway), str(lab.node_list[-1].mgmt)),
        some=(
            str(plan.tunnel[1]),
            str(plan.broker),
            *(str(node.mgmt) for node in lab.node_list[:-1]),
            *(str(node.tunnel) for node in lab.node_list),
        ),
        ports=tuple(sorted({row["port"] for row in everywhere} | NEVER | {ON_ALL, ON_GATEWAY})),
        tcp_ports=tuple(
            sorted(
                {row["port"] for row in everywhere if row["protocol"].startswith("tcp")} | NEVER | {ON_ALL, ON_GATEWAY}
            )
        ),
        wildcards=frozenset(
            row["port"]
            for row in here
            if ip_address(row["address"]).is_unspecified and row["protocol"].startswith("tcp")
        ),
        others=tuple(
            text
            for _, text in addresses
            if ":" not in text and IPv4Address(text) not in plan.range and not text.startswith("127.")
        ),
        link_local=tuple(text for device, text in addresses if device == provider and text.startswith("fe80:")),
    )


def test_the_listeners_of_this_test_answer_on_the_machine(scene: Scene) -> None:
    found = answers(observer("host"), scene.asked(only_some=True))
    assert {f"tcp {scene.plan.provider_gateway}:{ON_ALL}", f"tcp {scene.plan.gateway}:{ON_GATEWAY}"} <= found


def test_another_user_of_the_machine_reaches_what_is_public(scene: Scene) -> None:
    """And what the machine itself has on all its addresses, of which the provider network's gateway is one."""
    become = ("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups")
    keep = ("--inh-caps", "+net_raw", "--ambient-caps", "+net_raw", "python3")
    command = [*observer("host", *(f"--cap-add={name}" for name in ("SETUID", "SETGID", "SETPCAP")))[:-2], "setpriv"]
    # Only the machine's own processes can send to its loopback addresses: who is elsewhere has his own.
    found = answers([*command, OBSERVER, *become[1:], *keep], scene.asked(str(scene.plan.loopback)))
    machine = {f"tcp {scene.plan.provider_gateway}:{port}" for port in scene.wildcards}
    assert found == scene.public() | machine | {f"udp {scene.plan.provider_gateway}"}


def test_another_user_of_the_machine_sees_nothing_of_the_nodes(scene: Scene) -> None:
    """Neither files nor sockets: the folders of nodes are root's alone."""
    folder = node_folders(scene.lab.name)
    options = ("--user", f"{NOBODY}:{NOBODY}", "--cap-drop", "ALL", "--network", "none")
    look = f"find /seen/{scene.lab.name} -mindepth 1 2>/dev/null; true"
    seen = ("--volume", f"{Path(folder).parent}:/seen:ro", "--entrypoint", "sh", OBSERVER, "-c", look)
    assert docker("run", "--rm", *options, *seen) == ""
    # The same look as root finds something.
    assert docker("run", "--rm", *seen) != ""


def test_a_guest_reaches_what_is_public(scene: Scene, reached: Guests) -> None:
    server, _ = reached.boot("attacker", "node1", log_in=True)
    targets = (*scene.full, *scene.some, *scene.others)
    script = (
        f"for a in {' '.join(targets)}; do for p in {' '.join(map(str, scene.tcp_ports))}; do "
        "{ nc -w 2 -z $a $p >/dev/null 2>&1 && echo tcp $a:$p; } & done; wait; echo asked $a; done"
    )
    shell = reached.log_in(server)
    said = shell.run(script, timeout=300)
    shell.close()
    lines = set(said.stdout.splitlines())
    assert {line for line in lines if line.startswith("tcp ")} == scene.public(), said.lines()
    assert {f"asked {target}" for target in targets} <= lines, said.lines()
    reached.delete(server)


def test_the_provider_network_reaches_what_is_public(scene: Scene) -> None:
    """Where routers are, and guests of flat networks: nothing of the machine, by IPv6 neither."""
    name = f"{scene.lab.state.project}_provider"
    assert answers(observer(name), scene.asked(*scene.others)) == scene.public()
    assert scene.link_local
    ipv6 = observer(name, "--sysctl", "net.ipv6.conf.all.disable_ipv6=0")
    ports = ",".join(map(str, {*scene.wildcards, *PUBLIC, ON_ALL}))
    assert docker(*ipv6[1:], "-c", CONNECT_IPV6, ports, ",".join(scene.link_local)) == ""


def test_a_node_reaches_what_its_services_need(scene: Scene) -> None:
    plan, (_, first, *_) = scene.plan, scene.lab.node_list
    command = ["docker", "exec", "--interactive", f"{scene.lab.name}-{first.name}-linuxbridge-agent"]
    command += ["in-node", "python3"]
    others = [node for node in scene.lab.node_list if node != first]
    targets = {"full": [str(plan.gateway)], "some": [str(plan.broker), *(str(node.mgmt) for node in others)]}
    targets["some"] += [str(plan.provider_gateway), str(plan.tunnel[1]), *(str(node.tunnel) for node in others)]
    targets["some"] += scene.others
    expected = scene.public() | {f"tcp {plan.gateway}:{port}" for port in FOR_NODES} | {f"tcp {plan.broker}:{BROKER}"}
    expected |= {f"tcp {node.mgmt}:{port}" for node in others if node.name != "net" for port in BETWEEN_NODES}
    # The broker's own namespace has no filter: nothing else listens there, and a closed port says so.
    expected |= {f"udp {plan.broker}"}
    # What tunnels are for: a node that has no server on a tenant's network yet says that the port is closed.
    ports = [port for port in scene.ports if port != VXLAN]
    assert answers(command, json.dumps({**targets, "ports": ports})) == expected


def test_a_container_on_another_network_reaches_nothing(scene: Scene) -> None:
    with network("labctl-test-other") as name:
        found = answers(observer(name), scene.asked(own := gateway_of(name)))
        assert f"tcp {own}:{ON_ALL}" in found
        assert {one for one in found if own not in one} == set()


def test_another_labs_guests_reach_nothing(scene: Scene) -> None:
    """A provider network as that of another lab, with the filter that it would have."""
    lab = LabFile(name="attacker", address_range=CANDIDATES[-1])
    plan = make_plan(LabState(lab.name), lab, runtime_references(catalog_folders(), lab.release), "qemu")
    other, bridge = plan.addresses, f"com.docker.network.bridge.name={bridge_device(plan, 'provider')}"
    subnet = ("--subnet", str(other.provider), "--gateway", str(other.provider_gateway), "--opt", bridge)
    with network("labctl-test-attacker", *subnet) as name, filter_of(plan):
        assert answers(observer(name), scene.asked(*scene.others, str(other.provider_gateway))) == set()


@contextmanager
def filter_of(plan: LabPlan) -> Iterator[None]:
    """The filter of a lab that is not there."""
    rules = render_configuration(catalog_folders(), plan)["etc/filter/lab.nft"].decode()
    command = ("run", "--rm", "--interactive", "--network", "host", "--cap-drop", "ALL", "--cap-add", "NET_ADMIN")
    docker(*command, "--entrypoint", "nft", OBSERVER, "-f", "-", stdin=rules)
    try:
        yield
    finally:
        docker(*command, "--entrypoint", "remove-filter", OBSERVER, filter_table(plan.name))


@contextmanager
def neighbour(lab: Lab, *, forwards: bool) -> Iterator[list[str]]:
    """A machine of the local network that routes the lab's addresses by this one; yields how it runs Python."""
    here, there = (str(IPv4Network(AMONG_OTHERS)[number]) for number in (1, 2))
    idle = ("--network", "none", "--cap-drop", "ALL", "--cap-add", "NET_RAW", "--entrypoint", "sleep", OBSERVER)
    with running("labctl-test-neighbour", *idle, "3600") as name:
        pid = inspect("container", [name])[0]["State"]["Pid"]
        script = f"""set -eu
            ip link add labtest0 type veth peer name eth0 netns {pid}
            ip address add {here}/24 dev labtest0
            ip link set labtest0 up
            echo {int(forwards)} > /proc/sys/net/ipv4/conf/labtest0/forwarding
            in_it() {{ nsenter --net=/proc/{pid}/ns/net -- "$@"; }}
            in_it ip address add {there}/24 dev eth0
            in_it ip link set eth0 up
            in_it ip route add {lab.plan.range} via {here}"""
        docker(
            *("run", "--rm", "--privileged", "--network", "host", "--pid", "host", "--entrypoint", "bash"),
            *(OBSERVER, "-c", script),
        )
        # The pair goes with the namespace that one end of it is in.
        yield ["docker", "exec", "--interactive", name, "python3"]


@pytest.mark.parametrize("forwards", [True, False])
def test_a_neighbour_who_routes_by_this_machine_reaches_nothing(scene: Scene, forwards: bool) -> None:
    here = str(IPv4Network(AMONG_OTHERS)[1])
    with neighbour(scene.lab, forwards=forwards) as command:
        found = answers(command, scene.asked(here))
    assert f"tcp {here}:{ON_ALL}" in found
    assert {one for one in found if here not in one} == set()


def test_what_reach_opens_is_open_and_nothing_else_starts_anew(scene: Scene, reached: Guests, tmp_path: Path) -> None:
    """The public APIs and floating IPs, for the local network and for another network of the engine's."""
    lab, file = scene.lab, tmp_path / "lab.yaml"
    before = load_lab_file(lab.state.lab_file, (), check_files=False)
    server, _ = reached.boot("reached", "node1", log_in=True)
    floating = reached.floating_ip(server)
    reached.log_in_at(server, floating).close()
    expected = scene.public() | {f"tcp {floating}:22"}
    containers = {name: one["Id"] for name, one in lab.containers().items() if name != "filter"}
    with network("labctl-test-reach") as name:
        try:
            opened = with_values(before, reach={"local_network": True, "networks": [name]})
            file.write_text(dump_lab_file(opened))
            ran = labctl("up", "--name", lab.name, "--file", str(file))
            assert ran.code == 0, str(ran)
            assert expected == answers(observer(name), scene.asked(floating))
            with neighbour(lab, forwards=True) as command:
                assert expected == answers(command, scene.asked(floating))
        finally:
            file.write_text(dump_lab_file(before))
            ran = labctl("up", "--name", lab.name, "--file", str(file))
            assert ran.code == 0, str(ran)
        assert answers(observer(name), scene.asked(floating)) == set()
    assert {name: one["Id"] for name, one in lab.containers().items() if name != "filter"} == containers
    reached.delete(server)
