"""What the containers of a node may do, and who gets in where they listen."""

import json
import socket
import ssl
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest

from labctl.lab.authority import issue
from labctl.lab.secrets import read_secrets
from labctl.render.lab import AUTHORITY
from tests.lab.commands import docker
from tests.lab.conftest import Lab
from tests.lab.guests import Guests

SECONDS = 30.0
RFB_3_8 = b"RFB 003.008\n"
VENCRYPT, TLS, X509_NONE = 19, 256, 260
"""Of the RFB protocol's registry and QEMU's ui/vnc.h: the security type, and its sub-types."""

LOG_BYTES = 3 * (262144 + 65536)
"""config-templates/node/libvirt/virtlogd.conf: one log of 256 kB and two older ones, and what passed it."""


@pytest.fixture(scope="module")
def server(lab: Lab, reached: Guests) -> Iterator[Any]:
    made, _ = reached.boot("rights", "node1", log_in=True)
    yield made
    reached.delete(made)


def status_of(lab: Lab, service: str, program: str) -> list[dict[str, str]]:
    """/proc/PID/status of the processes of a service whose command line has a word in it."""
    script = (
        f"for one in /proc/[0-9]*; do if tr '\\0' ' ' <$one/cmdline 2>/dev/null | grep -q -- '{program}'; "
        "then echo ==; cat $one/status; fi; done"
    )
    texts = docker("exec", "--user", "0", f"{lab.name}-{service}", "bash", "-c", script).split("==\n")[1:]
    found = [dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line) for text in texts]
    return [one for one in found if one["Name"] not in ("bash", "sh", "grep", "tr")]


def node1(lab: Lab) -> IPv4Address:
    return next(node.mgmt for node in lab.node_list if node.name == "node1")


def test_a_guest_is_an_ordinary_users_process_behind_a_filter_of_system_calls(lab: Lab, server: Any) -> None:
    found = [one for one in status_of(lab, "node1-libvirt", f"uuid {server.id}") if one["Name"].startswith("qemu")]
    assert found
    for one in found:
        assert "0" not in one["Uid"].split()
        assert one["Seccomp"].strip() == "2"
        assert int(one["CapEff"], 16) == 0


def test_the_metadata_agent_is_nobody(lab: Lab) -> None:
    found = status_of(lab, "net-metadata-agent", "neutron-metadata-agent")
    served = [one for one in found if one["Uid"].split()[0] != "0"]
    assert served
    for one in served:
        assert int(one["CapEff"], 16) == int(one["CapBnd"], 16) == 0
        assert one["NoNewPrivs"].strip() == "1"


def test_sshd_cannot_enter_namespaces_or_change_networks(lab: Lab) -> None:
    found = status_of(lab, "node1-sshd", "/usr/sbin/sshd")
    sshd = [one for one in found if one["Name"] == "sshd"]
    assert sshd
    forbidden = 1 << 21 | 1 << 12  # CAP_SYS_ADMIN, CAP_NET_ADMIN (linux/capability.h)
    assert [one["CapBnd"] for one in sshd if int(one["CapBnd"], 16) & forbidden] == []


def test_only_root_gets_to_libvirts_sockets_and_the_nodes_namespaces(lab: Lab) -> None:
    image = lab.containers()["node1-libvirt"]["Image"]
    command = [
        "run",
        "--rm",
        "--user",
        "65534:65534",
        "--volume",
        "/run/labctl:/run/labctl",
        "--entrypoint",
        "sh",
        image,
    ]
    for node in lab.node_list:
        folder = Path("/run/labctl") / lab.name / node.name
        looks = "".join(
            f"test -e {folder}/{one} && echo {one}; " for one in ("netns/node", "libvirt/libvirt-sock", "pts")
        )
        script = f"{looks} ls /run/labctl"
        said = docker(*command, "-c", f"{{ {script}; }} 2>&1 || true").splitlines()
        assert said == ["ls: cannot open directory '/run/labctl': Permission denied"]


def tls(lab: Lab, *, with_certificate: bool) -> ssl.SSLContext:
    folder = lab.state.rendered / "etc" / "node1" / "tls"
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    if with_certificate:
        context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


ASK_LIBVIRT = """
import json, socket, ssl, sys, tempfile
asked = json.load(sys.stdin)
context = ssl.create_default_context(cadata=asked["authority"])
if asked["certificate"]:
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(asked["key"] + asked["certificate"])
        file.flush()
        context.load_cert_chain(file.name)
with socket.create_connection((asked["address"], 16514), 10) as plain:
    with context.wrap_socket(plain, server_hostname=asked["address"]) as talk:
        try:
            print(talk.recv(1).hex())
        except (ssl.SSLError, ConnectionError) as refused:
            print(type(refused).__name__)
"""


def ask_libvirt(lab: Lab, certificate: str) -> str:
    """What node1's libvirt says first to who comes from node2: 01 where it took the certificate."""
    pem = {path.stem: path.read_text() for path in (lab.state.rendered / "etc" / "node2" / "tls").iterdir()}
    asked = {"address": str(node1(lab)), "authority": pem["ca"], "key": pem["key"], "certificate": certificate}
    command = ("exec", "--interactive", f"{lab.name}-node2-nova-compute", "in-node", "/opt/openstack/bin/python", "-c")
    return docker(*command, ASK_LIBVIRT, stdin=json.dumps(asked)).strip()


def test_libvirt_answers_nobody_without_a_nodes_certificate(lab: Lab) -> None:
    secrets = read_secrets(lab.state.secrets)
    own = (lab.state.rendered / "etc" / "node2" / "tls" / "cert.pem").read_text()
    anothers = issue(secrets[AUTHORITY], secrets["tls.node"], "console", [])
    assert ask_libvirt(lab, own) == "01"
    assert ask_libvirt(lab, "") != "01"
    assert ask_libvirt(lab, anothers) != "01", "a certificate of the lab's that names no node"
    for port in (16509, 16514):
        with pytest.raises((TimeoutError, ConnectionRefusedError)):
            socket.create_connection((str(node1(lab)), port), 2.0).close()


def vencrypt(address: str, port: int) -> tuple[set[int], set[int], socket.socket]:
    """Talks to a guest's console up to the choice of how to be safe: the types and sub-types that it offers."""
    talk = socket.create_connection((address, port), SECONDS)
    read = talk.makefile("rb").read
    assert read(len(RFB_3_8)).startswith(b"RFB ")
    talk.sendall(RFB_3_8)
    types = set(read(read(1)[0]))
    talk.sendall(bytes([VENCRYPT]))
    assert read(2) == b"\0\2"
    talk.sendall(b"\0\2")
    assert read(1) == b"\0"
    count = read(1)[0]
    subtypes = {int.from_bytes(read(4), "big") for _ in range(count)}
    return types, subtypes, talk


def test_a_guests_console_wants_a_certificate(lab: Lab, server: Any) -> None:
    address = str(node1(lab))
    xml = docker("exec", f"{lab.name}-node1-libvirt", "virsh", "vncdisplay", server.id)
    port = 5900 + int(xml.strip().rpartition(":")[2])
    for with_certificate in (True, False):
        types, subtypes, talk = vencrypt(address, port)
        assert types == {VENCRYPT}
        assert subtypes == {X509_NONE}
        with talk:
            talk.sendall(X509_NONE.to_bytes(4, "big"))
            assert talk.recv(1) == b"\1"
            with tls(lab, with_certificate=with_certificate).wrap_socket(talk, server_hostname=address) as wrapped:
                try:
                    wrapped.sendall(b"\1")
                    answer = wrapped.recv(4)
                except (ssl.SSLError, ConnectionError):
                    answer = b""
        assert bool(answer) == with_certificate


def test_a_guest_that_prints_without_end_fills_no_disk(lab: Lab, reached: Guests, server: Any) -> None:
    shell = reached.log_in(server)
    ran = shell.run("sudo sh -c 'head -c 1200000 /dev/zero | tr \"\\0\" x | fold -w 100 >/dev/ttyS0'; echo done", 300.0)
    shell.close()
    assert "done" in ran.stdout, ran
    script = f"du --bytes --total /var/lib/nova/instances/{server.id}/console.log* | tail -n 1"
    size = int(docker("exec", f"{lab.name}-node1-libvirt", "sh", "-c", script).split()[0])
    assert 262144 < size < LOG_BYTES
    assert "xxxx" in reached.admin.compute.get_server_console_output(server.id)["output"]
