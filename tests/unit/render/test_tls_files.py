"""A lab with TLS: what is encrypted, by whose certificates, and who trusts them. A few of its files are golden ones."""

import re
import shutil
import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from fixed_lab import FOLDERS, IMAGES, make_plan, read_yaml, render
from golden_files import assert_golden
from made_up_profiles import render as render_made_up

from labctl.catalog.folders import CatalogFolders
from labctl.render.compose import AUTHORITY_FILE
from labctl.render.lab import host_ports, needed_secrets
from labctl.render.ports import Audience

PROFILES = tuple(IMAGES.brought_by)
PLAIN = make_plan(profiles=PROFILES, image_backend="rbd", glance_store="swift")
PLAN = make_plan(
    profiles=PROFILES, image_backend="rbd", glance_store="swift", tls=True, ca_file=Path("/state/project/ca.pem")
)
FILES = render(PLAN)
SERVICES: dict[str, dict[str, Any]] = read_yaml(FILES["compose.yaml"])["services"]
GATEWAY, LOOPBACK = str(PLAN.addresses.gateway), str(PLAN.addresses.loopback)
TEXTS = {name: content.decode() for name, content in FILES.items()}
GOES_ON = {
    "filter",
    "mariadb",
    "memcached",
    "net",
    "node1",
    "node2",
    "node1-libvirt",
    "node2-libvirt",
    "node1-sshd",
    "node2-sshd",
}
"""What holds data, nodes and servers: not made anew where TLS comes or goes."""


def listens(plan_files: dict[str, bytes]) -> set[tuple[str, int]]:
    """What the proxy has: address and port in front, and behind."""
    text = plan_files["etc/tls-proxy/haproxy.cfg"].decode()
    return {(address, int(port)) for address, port in re.findall(r"^    (?:bind|server lab) (\S+):(\d+)", text, re.M)}


def test_what_says_how_it_is_encrypted() -> None:
    names = ("tls-proxy/haproxy.cfg", "rabbitmq/rabbitmq.conf", "net/neutron/metadata_agent.ini", "ceph/ceph.conf")
    chosen = {name: FILES[f"etc/{name}"] for name in names}
    compose = {name: SERVICES[name] for name in ("tls-proxy", "identity")}
    text = yaml.safe_dump(compose, sort_keys=False).encode()
    assert_golden("tls", {**chosen, "clouds.yaml": FILES["clouds.yaml"], "compose-some.yaml": text})


@pytest.mark.parametrize("wrong", [f"http://{GATEWAY}", f"http://{LOOPBACK}", ":5672", "'5672'", ":6789"])
def test_nothing_is_asked_without_encryption(wrong: str) -> None:
    assert [name for name, text in TEXTS.items() if wrong in text] == []


def test_the_proxy_has_every_port_of_an_api_and_no_other() -> None:
    ports = set(host_ports(FOLDERS, PLAN, (Audience.PUBLIC, Audience.NODES)))
    assert {5000, 6080, 8080, 8088, 8774, 8775, 8776, 8778, 9292, 9696} == ports
    assert listens(FILES) == {(address, port) for port in ports for address in (GATEWAY, LOOPBACK)}


def test_health_checks_ask_where_the_apis_listen() -> None:
    checks = [service["healthcheck"]["test"] for service in SERVICES.values() if "healthcheck" in service]
    asked = {(check[2], int(check[3])) for check in checks if check[1] == "answers-http"}
    storage = {6200, 6201, 6202}
    assert {port for address, port in asked if address != LOOPBACK} <= storage
    assert {port for _, port in asked} - storage == {5000, 6080, 8080, 8088, 8774, 8776, 8778, 9292, 9696}


def sections(text: str) -> list[dict[str, str]]:
    """The options of each section of a file in oslo.config's dialect."""
    parts = re.split(r"^\[.*\]$", text, flags=re.M)
    return [dict(re.findall(r"^(\w+) = (.*)$", part, re.M)) for part in parts]


def test_whoever_asks_keystone_trusts_the_authority() -> None:
    asking = [
        (name, options)
        for name, text in TEXTS.items()
        if name.startswith("etc/") and name.endswith((".conf", ".ini"))
        for options in sections(text)
        if "auth_url" in options
    ]
    assert len(asking) > 15
    assert [name for name, options in asking if options.get("cafile") != AUTHORITY_FILE] == []


def test_whoever_speaks_to_the_broker_trusts_the_authority() -> None:
    urls = [url for text in TEXTS.values() for url in re.findall(r"^transport_url = (.*)$", text, re.M)]
    broker = PLAN.addresses.broker
    ends = f"@{broker}:5671/?ssl=true&ssl_ca_file={AUTHORITY_FILE}"
    assert urls
    assert [url for url in urls if not url.endswith(ends)] == []


def test_who_names_the_authority_mounts_it_and_nobody_else() -> None:
    def names_it(service: dict[str, Any]) -> bool:
        mounts = [volume.split(":")[0].removeprefix("./") for volume in service.get("volumes", [])]
        read = [
            text for path, text in TEXTS.items() if any(path == one or path.startswith(f"{one}/") for one in mounts)
        ]
        return AUTHORITY_FILE in str(service.get("environment")) or any(AUTHORITY_FILE in text for text in read)

    mount = f"./ca.pem:{AUTHORITY_FILE}:ro"
    mounted = {name for name, service in SERVICES.items() if mount in service.get("volumes", [])}
    assert mounted == {name for name, service in SERVICES.items() if names_it(service)}
    assert {"identity", "nova-api", "neutron-server", "net-metadata-agent", "node2-nova-compute", "horizon"} <= mounted
    assert not mounted & {*GOES_ON, "keystone", "rabbitmq", "tls-proxy"}


def verified(certificate: str, key: str, host: str) -> None:
    """Checks that a certificate is for a host and its key, and issued by the authority of the lab."""
    issuer = x509.load_pem_x509_certificate(FILES["ca.pem"])
    found = x509.load_pem_x509_certificate(certificate.encode())
    found.verify_directly_issued_by(issuer)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.IPAddress) == [ip_address(host)]
    private = load_pem_private_key(key.encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert private.public_key() == found.public_key()


def test_proxy_and_broker_have_certificates_for_their_addresses() -> None:
    both = TEXTS["etc/tls-proxy/lab.pem"]
    begin = both.index("-----BEGIN PRIVATE KEY-----")
    verified(both[:begin], both[begin:], GATEWAY)
    folder = "etc/rabbitmq"
    verified(TEXTS[f"{folder}/certificate.pem"], TEXTS[f"{folder}/key.pem"], str(PLAN.addresses.broker))
    assert FILES[f"{folder}/ca.pem"] == FILES["ca.pem"]


def test_clients_find_the_authority() -> None:
    ssl.create_default_context(cadata=TEXTS["ca.pem"])
    clouds = read_yaml(FILES["clouds.yaml"])["clouds"]
    assert {cloud["cacert"] for cloud in clouds.values()} == {"/state/project/ca.pem"}
    assert {cloud["auth"]["auth_url"] for cloud in clouds.values()} == {f"https://{GATEWAY}:5000/v3"}
    for name in ("admin-openrc", "demo-openrc"):
        assert "export OS_CACERT=/state/project/ca.pem\n" in TEXTS[name]


def test_the_dashboard_leaves_no_cookie_to_plain_http() -> None:
    settings: dict[str, Any] = {}
    exec(TEXTS["etc/horizon/local_settings.py"], settings)  # noqa: S102 - rendered above
    assert settings["OPENSTACK_SSL_CACERT"] == AUTHORITY_FILE
    assert (settings["SESSION_COOKIE_SECURE"], settings["CSRF_COOKIE_SECURE"]) == (True, True)
    assert SERVICES["horizon"]["labels"]["org.labctl.page"] == f"https://{GATEWAY}:8088/"


def test_the_secrets_that_come_with_it() -> None:
    assert needed_secrets(FOLDERS, PLAN) - needed_secrets(FOLDERS, PLAIN) >= {"tls.proxy", "tls.broker"}
    assert "authority.lab" in needed_secrets(FOLDERS, PLAN)


def test_a_lab_without_has_nothing_of_it() -> None:
    plain = render(PLAIN)
    assert {"ca.pem", "etc/tls-proxy/haproxy.cfg", "etc/tls-proxy/lab.pem", "etc/rabbitmq/key.pem"} <= set(FILES)
    assert not [name for name in plain if name == "ca.pem" or name.startswith("etc/tls-proxy/")]
    assert not [name for name in plain if name.startswith("etc/rabbitmq/") and name.endswith(".pem")]
    assert "tls-proxy" not in read_yaml(plain["compose.yaml"])["services"]
    everything = b"".join(plain.values())
    for word in (AUTHORITY_FILE, "https://", "5671", "enable_proxy_headers_parsing", "ms_client_mode"):
        assert word.encode() not in everything, word


def test_what_holds_data_and_servers_goes_on_where_it_comes_or_goes() -> None:
    before, after = (read_yaml(render(make_plan(tls=tls))["compose.yaml"])["services"] for tls in (False, True))
    assert after.keys() - before.keys() == {"tls-proxy"}
    assert {name for name in before if before[name] == after[name]} == GOES_ON


def test_the_example_of_a_service_of_ones_own_has_it_too(tmp_path: Path) -> None:
    for folder in ("images", "compose", "config-templates"):
        shutil.copytree(FOLDERS.root / folder, tmp_path / folder)
    shutil.copytree(FOLDERS.root / "examples" / "heat", tmp_path, dirs_exist_ok=True)
    plan = make_plan(profiles=("heat",), tls=True, references={**PLAN.references, "heat": "labctl/heat:test"})
    files = render_made_up(CatalogFolders(tmp_path), plan)
    assert (GATEWAY, 8004) in listens(files)
    heat = files["etc/heat/heat.conf"].decode()
    assert f"bind_host = {LOOPBACK}\n" in heat
    assert f"http://{GATEWAY}" not in heat
    assert f"[clients]\nca_file = {AUTHORITY_FILE}\n" in heat
