"""An OpenStack that keeps everything in a dictionary: enough of its APIs for openstacksdk to run the demo against it.

It refuses what a real cloud refuses: two flat networks, a network with ports, a router with interfaces, a security
group in use, what a member may not do, request fields that it does not know.
"""

import json
import re
import threading
import uuid
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Thing = dict[str, Any]

NETWORK_FIELDS = {
    "networks": {
        "name",
        "description",
        "shared",
        "router:external",
        "provider:network_type",
        "provider:physical_network",
    },
    "subnets": {
        *("name", "network_id", "ip_version", "cidr", "gateway_ip"),
        *("allocation_pools", "enable_dhcp", "dns_nameservers"),
    },
    "routers": {"name", "external_gateway_info"},
    "security-groups": {"name", "description"},
    "security-group-rules": {
        *("security_group_id", "direction", "ethertype", "protocol"),
        *("port_range_min", "port_range_max"),
    },
    "floatingips": {"floating_network_id", "port_id", "description"},
}
SERVER_FIELDS = {
    *("name", "imageRef", "flavorRef", "key_name", "security_groups", "networks"),
    *("min_count", "max_count"),
}


class Refused(Exception):  # noqa: N818
    """An answer with an HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class FakeCloud:
    """The cloud's state and rules.

    Attributes:
        things: Collection's name -> id -> thing.
        fault: When set, servers go to ERROR with this message.
        log: Method and path of each request, and who made it.
    """

    def __init__(self, nodes: tuple[str, ...]) -> None:
        self.things: dict[str, dict[str, Thing]] = {}
        self.nodes = nodes
        self.url = ""
        self.fault = ""
        self.looks_until_active = 2
        self.log: list[str] = []
        self.refuse: Callable[[str, str], None] = lambda method, path: None
        self._lock = threading.Lock()
        self._addresses = iter(range(100, 240))

    def names(self) -> set[str]:
        """Everything that is there, "networks demo-net"."""
        return {
            f"{kind} {thing.get('name') or thing.get('description') or thing['id']}"
            for kind, held in self.things.items()
            for thing in held.values()
            if kind not in ("subnets", "ports", "security-group-rules")
        }

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, who: str) -> tuple[int, Any]:
        """Answers one request."""
        with self._lock:
            self.log.append(f"{who} {method} {path}")
            self.refuse(method, path)
            service, _, rest = path.lstrip("/").partition("/")
            return {"compute": self._compute, "network": self._network, "image": self._image}[service](
                method, rest, query, body, who
            )

    def put(self, kind: str, **fields: Any) -> Thing:
        thing = {"id": str(uuid.uuid4()), **fields}
        self.things.setdefault(kind, {})[thing["id"]] = thing
        return thing

    def all(self, kind: str) -> list[Thing]:
        return list(self.things.get(kind, {}).values())

    def _take(self, kind: str, identifier: str) -> Thing:
        if identifier not in self.things.get(kind, {}):
            raise Refused(404, f"no {kind} {identifier}")
        return self.things[kind].pop(identifier)

    # --- neutron

    def _network(self, method: str, rest: str, query: dict[str, str], body: Any, who: str) -> tuple[int, Any]:
        if not rest.strip("/"):
            return 200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": []}]}
        kind, _, identifier = rest.removeprefix("v2.0/").partition("/")
        singular = kind.replace("-", "_").removesuffix("s")
        if method == "GET" and identifier:
            return 200, {singular: self.things[kind][identifier]}
        if method == "GET":
            return 200, {
                kind.replace("-", "_"): [
                    one for one in self.all(kind) if all(str(one.get(key)) == query[key] for key in query)
                ]
            }
        if method == "DELETE":
            self._may_go(kind, identifier)
            self._take(kind, identifier)
            return 204, None
        if identifier:
            return 200, self._router_interface(identifier, body)
        fields = body[singular]
        if unknown := set(fields) - NETWORK_FIELDS[kind]:
            raise Refused(400, f"unknown {unknown}")
        return 201, {singular: self._make_network_thing(kind, dict(fields), who)}

    def _make_network_thing(self, kind: str, fields: Thing, who: str) -> Thing:
        if kind == "networks" and "provider:physical_network" in fields:
            if who != "admin":
                raise Refused(403, "members may not")
            if any(one.get("provider:physical_network") for one in self.all("networks")):
                raise Refused(409, "The physical network provider is in use.")
            fields["mtu"] = 1500
        if kind == "routers":
            router = self.put(kind, **fields)
            self._held(fields["external_gateway_info"]["network_id"], "network:router_gateway", device_id=router["id"])
            return router
        if kind == "floatingips":
            port = self.things["ports"][fields["port_id"]]
            subnet = next(one for one in self.all("subnets") if one["network_id"] == port["network_id"])
            if not any(one.get("subnet_id") == subnet["id"] for one in self.all("ports")):
                raise Refused(404, "External network is not reachable from subnet")
            fields["floating_ip_address"] = f"203.0.113.{next(self._addresses)}"
            held = self._held(fields["floating_network_id"], "network:floatingip")
            return self.put(kind, **fields, held=held["id"])
        return self.put(kind, **fields)

    def _held(self, network: str, owner: str, **more: Any) -> Thing:
        address = f"172.16.1.{next(self._addresses)}"
        fixed = [{"ip_address": address}]
        return self.put("ports", network_id=network, device_owner=owner, status="ACTIVE", fixed_ips=fixed, **more)

    def _router_interface(self, identifier: str, body: Any) -> Any:
        router, action = identifier.split("/")
        if action == "add_router_interface":
            subnet = self.things["subnets"][body["subnet_id"]]
            owner = "network:router_interface"
            self._held(subnet["network_id"], owner, device_id=router, subnet_id=subnet["id"])
        else:
            interface = self._take("ports", body["port_id"])
            served = {self.things["ports"][one["port_id"]]["network_id"] for one in self.all("floatingips")}
            if interface["network_id"] in served:
                raise Refused(409, "a floating IP needs the interface")
        return {}

    def _may_go(self, kind: str, identifier: str) -> None:
        if kind == "networks" and any(one["network_id"] == identifier for one in self.all("ports")):
            raise Refused(409, "There are one or more ports still in use on the network.")
        if kind == "networks":
            for one in [one for one in self.all("subnets") if one["network_id"] == identifier]:
                self._take("subnets", one["id"])
        if kind == "routers":
            ports = [one for one in self.all("ports") if one.get("device_id") == identifier]
            if any(one["device_owner"] != "network:router_gateway" for one in ports):
                raise Refused(409, "Router still has ports")
            for one in ports:
                self._take("ports", one["id"])
        if kind == "floatingips":
            self._take("ports", self.things[kind][identifier]["held"])
        if kind == "security-groups" and identifier in {one["group"] for one in self.all("servers")}:
            raise Refused(409, "Security Group in use.")

    # --- glance

    def _image(self, method: str, rest: str, query: dict[str, str], body: Any, who: str) -> tuple[int, Any]:
        if not rest.strip("/"):
            return 300, {"versions": [{"id": "v2.16", "status": "CURRENT", "links": [{"rel": "self", "href": "v2/"}]}]}
        path = rest.removeprefix("v2/").split("/")
        if path[-1] == "file":
            import hashlib

            digest = hashlib.sha512(body).hexdigest()
            self.things["images"][path[1]].update(status="active", os_hash_algo="sha512", os_hash_value=digest)
            return 204, None
        if method == "POST":
            if body.get("visibility") != "public" or who != "admin":
                raise Refused(403, "not here")
            return 201, self.put("images", status="queued", **body)
        if method == "DELETE":
            self._take("images", path[1])
            return 204, None
        if len(path) == 2:
            return 200, self.things["images"][path[1]]
        tag = query.pop("tag", None)
        found = [one for one in self.all("images") if all(str(one.get(key)) == query[key] for key in query)]
        return 200, {"images": [one for one in found if tag is None or tag in one["tags"]]}

    # --- nova

    def _compute(self, method: str, rest: str, query: dict[str, str], body: Any, who: str) -> tuple[int, Any]:
        kind, _, identifier = rest.removeprefix("v2.1").strip("/").partition("/")
        if not kind:
            links = [{"rel": "self", "href": f"{self.url}/compute/v2.1/"}]
            about = {"id": "v2.1", "status": "CURRENT", "version": "2.96", "min_version": "2.1", "links": links}
            return 200, {"version": about}
        key = kind.removeprefix("os-").replace("-", "_")
        if method == "GET":
            listed = self._list_servers(query, who) if kind == "servers" else self.all(kind)
            return 200, {key: [{"keypair": one} for one in listed] if kind == "os-keypairs" else listed}
        if method == "DELETE":
            if kind == "servers":
                self._drop_server(identifier)
            else:
                self._take(kind, identifier)
            return 204, None
        if identifier.endswith("/action"):
            name = self.things["servers"][identifier.split("/")[0]]["name"]
            return 200, {"output": f"booting\r\n\r\n{name} login: "}
        if identifier.endswith("/remote-consoles"):
            assert body == {"remote_console": {"type": "novnc", "protocol": "vnc"}}, body
            return 200, {"remote_console": {"type": "novnc", "url": "http://proxy/?path=%3Ftoken%3Dt"}}
        fields = body[key.removesuffix("s")]
        if kind == "flavors" and who != "admin":
            raise Refused(403, "members may not")
        if kind == "servers":
            return 202, {"server": self._make_servers(fields, body.get("OS-SCH-HNT:scheduler_hints"))}
        made = self.put(kind, **fields)
        if kind == "os-keypairs":
            self.things[kind][made["name"]] = self.things[kind].pop(made["id"])
        return 201, {key.removesuffix("s"): made}

    def _make_servers(self, fields: Thing, hints: Any) -> Thing:
        if set(fields) != SERVER_FIELDS:
            raise Refused(400, f"fields {set(fields)}")
        count = fields["min_count"]
        if count > 1 and [*hints] != ["group"]:
            raise Refused(400, "no group")
        for number in range(count):
            name = f"{fields['name']}-{number + 1}" if count > 1 else fields["name"]
            host = {"OS-EXT-SRV-ATTR:host": self.nodes[number]}
            group = fields["security_groups"][0]["name"]
            server = self.put("servers", name=name, status="BUILD", looks=0, group=group, **host)
            self._held(fields["networks"][0]["uuid"], "compute:nova", device_id=server["id"])
        return {"id": server["id"], "adminPass": "x"}

    def _list_servers(self, query: dict[str, str], who: str) -> list[Thing]:
        found = [one for one in self.all("servers") if re.search(query["name"], one["name"])]
        for one in found:
            one["looks"] += 1
            if one["looks"] > self.looks_until_active:
                one["status"] = "ERROR" if self.fault else "ACTIVE"
                one["fault"] = {"code": 500, "message": self.fault}
        visible = [{key: value for key, value in one.items() if key != "looks"} for one in found]
        return visible if who == "admin" else [{k: v for k, v in one.items() if ":" not in k} for one in visible]

    def _drop_server(self, identifier: str) -> None:
        self._take("servers", identifier)
        for one in [one for one in self.all("ports") if one.get("device_id") == identifier]:
            self._take("ports", one["id"])


def _handler(cloud: FakeCloud) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            """Says nothing."""

        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body: Any = self.rfile.read(length)
            if self.headers.get("Transfer-Encoding") == "chunked":
                raise AssertionError("glance's upload should know its length")
            if "json" in (self.headers.get("Content-Type") or ""):
                body = json.loads(body)
            parts = urlsplit(self.path)
            base = f"http://127.0.0.1:{self.server.server_address[1]}"
            headers = {}
            if parts.path.startswith("/v3"):
                status, answer, headers = _keystone(parts.path, body, base)
            else:
                try:
                    who = self.headers.get("X-Auth-Token") or "nobody"
                    status, answer = cloud.answer(self.command, parts.path, dict(parse_qsl(parts.query)), body, who)
                except Refused as refused:
                    status, answer = refused.status, {"error": {"message": str(refused)}}
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(content)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815

    return Handler


def _keystone(path: str, body: Any, base: str) -> tuple[int, Any, dict[str, str]]:
    if path.rstrip("/") == "/v3":
        links = [{"rel": "self", "href": f"{base}/v3/"}]
        return 200, {"version": {"id": "v3.14", "status": "stable", "links": links}}, {}
    user = body["auth"]["identity"]["password"]["user"]["name"]
    urls = {"compute": f"{base}/compute/v2.1", "network": f"{base}/network", "image": f"{base}/image"}
    catalog = [
        {
            "type": kind,
            "name": kind,
            "id": kind,
            "endpoints": [{"id": kind, "interface": "public", "region": "R", "region_id": "R", "url": url}],
        }
        for kind, url in urls.items()
    ]
    domain = {"id": "default", "name": "Default"}
    token = {
        "methods": ["password"],
        "expires_at": "2100-01-01T00:00:00.000000Z",
        "issued_at": "2020-01-01T00:00:00.000000Z",
        "user": {"id": user, "name": user, "domain": domain},
        "project": {"id": user, "name": user, "domain": domain},
        "catalog": catalog,
    }
    return 201, {"token": token}, {"X-Subject-Token": user}


class Serving:
    """The fake cloud behind a port on the loopback address."""

    def __init__(self, cloud: FakeCloud) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(cloud))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        cloud.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def write_clouds_yaml(self, path: Path, lab: str) -> None:
        auth = f"auth_url: http://127.0.0.1:{self.port}/v3, password: x, project_name: p, "
        auth += "user_domain_name: Default, project_domain_name: Default"
        lines = ["clouds:"]
        for cloud, user in ((lab, "demo"), (f"{lab}-admin", "admin")):
            lines += [f"  {cloud}:", f"    auth: {{{auth}, username: {user}}}", "    region_name: R"]
        path.write_text("\n".join(lines))

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
