"""labctl trace, in a lab: what each hop sees of packets that arrive, and what is said of one that does not."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection

from labctl.cloud.waiting import Pending, wait_until
from labctl.errors import PACKET_DIED
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import LOOK_EVERY, SECONDS, Guests

LIMIT = 5.0


@pytest.fixture(scope="module")
def servers(reached: Guests) -> tuple[Any, Any]:
    """One on each node, and so far up that they answer."""
    one, two = (reached.boot(f"trace-{node}", node)[0] for node in ("node1", "node2"))
    return one, two


def trace(lab: Lab, *arguments: str) -> dict[str, Any]:
    ran = labctl("trace", *arguments, "--name", lab.name, "--json")
    assert ran.code in (0, PACKET_DIED), str(ran)
    found: dict[str, Any] = json.loads(ran.out)
    assert (ran.code == 0) == (found["cause"] is None), str(ran)
    return {**found, "took": ran.seconds}


def answered(lab: Lab, *arguments: str) -> dict[str, Any]:
    """The first that is answered, with the right addresses: servers boot, and rules of routers are written, later."""

    def look() -> dict[str, Any] | Pending:
        found = trace(lab, *arguments)
        is_right = found["answered"] and not found["detour"]
        return found if is_right else Pending(str(found["cause"] or found["detour"]))

    return wait_until(look, f"trace {' '.join(arguments)} to be answered", SECONDS, LOOK_EVERY)


def assert_every_hop_saw_it(found: dict[str, Any]) -> None:
    watched = [hop for hop in found["hops"] if hop["is_watched"]]
    missed = [hop for hop in watched if not hop["there"] or not hop["back"]]
    assert not missed
    assert [hop["there"]["source"] for hop in watched] == [hop["source"] for hop in watched]
    assert [hop["there"]["target"] for hop in watched] == [hop["target"] for hop in watched]
    assert [hop["there"]["vni"] for hop in watched] == [hop["vni"] for hop in watched]


def test_from_server_to_server_on_another_node(lab: Lab, servers: tuple[Any, Any], tmp_path: Path) -> None:
    one, two = servers
    answered(lab, one.name, "--to", two.name)
    found = trace(lab, one.id, "--to", two.name, "--svg", str(tmp_path / "trace.svg"), "--pcap", str(tmp_path / "pcap"))
    assert_every_hop_saw_it(found)
    assert {hop["node"] for hop in found["hops"]} == {"node1", "host", "node2"}
    assert any(hop["vni"] for hop in found["hops"])
    assert (tmp_path / "trace.svg").read_text().startswith("<svg")
    assert len(list((tmp_path / "pcap").iterdir())) == sum(hop["is_watched"] for hop in found["hops"])
    measured("labctl trace, server to server on another node", found["took"], "s", LIMIT)


def test_from_server_to_the_host_and_from_the_host_to_its_floating_ip(
    lab: Lab, reached: Guests, servers: tuple[Any, Any]
) -> None:
    one, _ = servers
    address = reached.floating_ip(one)
    out = answered(lab, one.name, "--to", str(lab.plan.provider_gateway))
    assert_every_hop_saw_it(out)
    assert [hop["name"] for hop in out["hops"] if hop["kind"] == "nat"] == [f"SNAT to {address}"]
    back = answered(lab, one.name, "--from", "host")
    assert_every_hop_saw_it(back)
    assert back["to"] == address
    assert back["hops"][0]["node"] == "host"
    measured("labctl trace, host to floating IP", back["took"], "s", LIMIT)


@contextmanager
def closed_to_pings(admin: Connection, server: Any) -> Iterator[str]:
    """The server in a security group that lets nothing in, and the group's name."""
    port = next(iter(admin.network.ports(device_id=server.id)))
    before = list(port.security_group_ids)
    group = admin.network.create_security_group(name="labctl-test-closed")
    admin.network.update_port(port.id, security_groups=[group.id])
    try:
        yield group.name
    finally:
        admin.network.update_port(port.id, security_groups=before)
        admin.network.delete_security_group(group)


def test_a_security_group_that_does_not_let_it_in(lab: Lab, admin: Connection, servers: tuple[Any, Any]) -> None:
    one, two = servers
    answered(lab, one.name, "--to", two.name)
    with closed_to_pings(admin, two) as group:

        def look() -> dict[str, Any] | Pending:
            found = trace(lab, one.name, "--to", two.name)
            return Pending("it is answered") if found["answered"] else found

        found = wait_until(look, "the node to apply the group", SECONDS, LOOK_EVERY)
        assert found["cause"]["id"] == "security-group", found["cause"]
        assert group in found["cause"]["remedy"]
        assert found["hops"][found["died_after"] - 1]["node"] == "node2"
        assert not found["arrived"]
    answered(lab, one.name, "--to", two.name)
