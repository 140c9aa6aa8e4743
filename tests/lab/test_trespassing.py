"""A guest that sends what is not for it to its node, which must not carry it into the lab's own networks."""

import json
import subprocess

from tests.lab.commands import docker
from tests.lab.conftest import Lab
from tests.lab.guests import Guests

WATCH = """
import select, socket, sys
mark, seconds = sys.argv[1].encode(), float(sys.argv[2])
watch = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
print("watching", flush=True)
while select.select([watch], [], [], seconds)[0]:
    frame, address = watch.recvfrom(65535)
    if mark in frame:
        print(address[0], flush=True)
    if mark + b"-last" in frame:
        seconds = 1.0
"""
"""Prints the devices of a namespace that see a frame with a mark in it, until a second after the last of them."""


def test_a_node_routes_nothing_for_its_guests(lab: Lab, reached: Guests) -> None:
    """A guest that sends to its bridge's own address what is for the lab's networks: no group or router is asked."""
    server, _ = reached.boot("trespasser", "node1", log_in=True)
    node1, node2 = (next(one for one in lab.node_list if one.name == name) for name in ("node1", "node2"))
    holder = f"{lab.name}-node1"
    bridge = f"brq{reached.network.id[:11]}"
    address = docker("exec", holder, "in-node", "ip", "-json", "link", "show", "dev", bridge)
    shell = reached.log_in(server)
    made = shell.run(
        f"sudo busybox arp -s 192.168.77.250 {json.loads(address)[0]['address']} && "
        f"sudo ip route add {lab.plan.mgmt} via 192.168.77.250 && "
        f"sudo ip route add {lab.plan.tunnel} via 192.168.77.250",
        timeout=60,
    )
    assert made.status == 0, made
    command = ["docker", "exec", "--interactive", holder, "in-node", "/opt/openstack/bin/python3", "-c", WATCH]
    targets = (lab.plan.gateway, node2.mgmt, node1.mgmt, node2.tunnel)
    with subprocess.Popen([*command, "trespass", "60"], stdout=subprocess.PIPE, text=True) as watch:
        assert watch.stdout
        assert watch.stdout.readline() == "watching\n"
        shell.run("".join(f"echo trespass | nc -u -w 1 {one} 8472; " for one in targets), timeout=60)
        shell.run(f"echo trespass-last | nc -u -w 1 {lab.plan.broker} 5672", timeout=60)
        devices = set(watch.stdout.read().split())
    shell.close()
    reached.delete(server)
    assert bridge in devices, "nothing was sent"
    assert [one for one in devices if one.startswith(("mgmt", "tunnel", "port-", "vxlan", "uplink"))] == []
