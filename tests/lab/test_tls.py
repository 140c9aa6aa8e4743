"""A lab is turned to TLS and back under a server that runs on: nothing of it speaks plain HTTP, and everything works.

`make test-tls` is the longer version: other tests of this folder, and Tempest, with a lab that was born with TLS.
"""

import re
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from labctl.bringup.up import runtime_references
from labctl.catalog.folders import catalog_folders
from labctl.cloud.connection import connect
from labctl.lab.addresses import BROKER_TLS_PORT
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import Guests
from tests.lab.machine import probe
from tests.lab.pinging import Pinging
from tests.lab.test_sockets import look

PROXY = "tls-proxy"
SECONDS = 10.0
SILENCE_LIMIT = 3.0
LIMIT_GB = 0.05


@pytest.fixture(scope="module")
def server(lab: Lab, reached: Guests) -> tuple[Any, str]:
    """One that was there before, and its floating IP."""
    booted, _ = reached.boot("tls", lab.node_list[-1].name)
    return booted, reached.floating_ip(booted)


def turn(lab: Lab, *options: str) -> None:
    ran = labctl("up", "--name", lab.name, *options, "--progress", "plain", timeout=600)
    assert ran.code == 0, str(ran)


@pytest.fixture(scope="module")
def with_tls(lab: Lab, server: tuple[Any, str]) -> Iterator[Lab]:
    """The lab with TLS and the dashboard, whatever it had before."""
    options = () if lab.has_tls else ("--tls",)
    image = runtime_references(catalog_folders(), "2024.2")["client"]
    with Pinging(lab.name, image, server[1]) as ping:
        begin = time.time()
        turn(lab, *options, "--with", "horizon")
        ping.answers(10)
        measured(
            "server's longest silence while its lab is turned to TLS", ping.longest_silence(begin), "s", SILENCE_LIMIT
        )
    yield lab
    turn(lab, *(("--no-tls",) if options else ()), "--without", "horizon")


def places(lab: Lab) -> dict[tuple[str, int], str]:
    """Where TLS is spoken: address and port, and whose it is."""
    found = {
        (one.address, one.port): one.owner or ""
        for one in look(lab).namespaces[look(lab).host]
        if one.address == str(lab.plan.gateway)
    }
    return {**found, (str(lab.plan.broker), BROKER_TLS_PORT): "rabbitmq"}


def handshake(lab: Lab, place: tuple[str, int], *, trust: bool, most: ssl.TLSVersion) -> str:
    """Speaks TLS of some version at most; returns the version that was agreed on."""
    context = ssl.create_default_context(cafile=str(lab.state.ca_file) if trust else None)
    # So that it is not this side which refuses what is old.
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.MINIMUM_SUPPORTED, most
    with (
        socket.create_connection(place, SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=place[0]) as spoken,
    ):
        return str(spoken.version())


def test_only_the_proxy_listens_where_the_network_reaches_it(with_tls: Lab) -> None:
    owners = {
        port: owner for (address, port), owner in places(with_tls).items() if address == str(with_tls.plan.gateway)
    }
    assert set(owners.values()) == {f"{PROXY}: haproxy"}
    assert {5000, 6080, 8088, 8774, 8775, 8778, 9292, 9696} == set(owners)


def test_what_listens_speaks_tls_of_a_version_that_is_not_old(with_tls: Lab) -> None:
    for place in places(with_tls):
        assert handshake(with_tls, place, trust=True, most=ssl.TLSVersion.TLSv1_3) == "TLSv1.3", place
        assert handshake(with_tls, place, trust=True, most=ssl.TLSVersion.TLSv1_2) == "TLSv1.2", place
        with pytest.raises((ssl.SSLError, ConnectionResetError)) as caught:
            handshake(with_tls, place, trust=True, most=ssl.TLSVersion.TLSv1_1)
        assert "no protocols" not in str(caught.value).lower().replace("_", " "), "this side refused it"


def test_a_client_without_the_authority_goes_away(with_tls: Lab) -> None:
    for place in places(with_tls):
        with pytest.raises(ssl.SSLCertVerificationError):
            handshake(with_tls, place, trust=False, most=ssl.TLSVersion.TLSv1_3)


def test_plain_http_gets_no_answer(with_tls: Lab) -> None:
    for place in places(with_tls):
        with socket.create_connection(place, SECONDS) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            said = b""
            try:
                while more := plain.recv(4096):
                    said += more
            except ConnectionResetError:
                pass
        # An alert of TLS, at most (RFC 8446, 5.1: content type 21).
        assert said[:1] in (b"", b"\x15"), (place, said)


def test_endpoints_and_the_links_that_apis_give_are_https(with_tls: Lab) -> None:
    listed = labctl("openstack", "--name", with_tls.name, "endpoint", "list", "-f", "value", "-c", "URL")
    assert listed.code == 0, str(listed)
    urls = listed.out.split()
    assert len(urls) >= 15
    assert [url for url in urls if not url.startswith(f"https://{with_tls.plan.gateway}:")] == []
    for url in {re.sub(r"/v[\d.]+.*$", "/", url) for url in urls}:
        answer = requests.get(url, verify=str(with_tls.state.ca_file), timeout=SECONDS)
        assert answer.status_code < 400, url
        assert "http://" not in answer.text.replace("http://docs.openstack.org", ""), url


def test_ca_is_what_clients_trust(with_tls: Lab) -> None:
    printed = labctl("ca", "--name", with_tls.name)
    assert (printed.code, printed.out, printed.err) == (0, with_tls.state.ca_file.read_text(), "")


def test_a_demo_works(with_tls: Lab) -> None:
    """Images are uploaded, metadata are served, the console is a websocket in TLS."""
    ran = labctl("demo", "--name", with_tls.name, "--progress", "plain")
    assert ran.code == 0, str(ran)


def test_a_person_logs_in_to_the_dashboard(with_tls: Lab) -> None:
    connection = connect(with_tls.state.clouds_yaml, with_tls.name)
    password = connection.config.auth["password"]
    connection.close()
    page = with_tls.containers()["horizon"]["Config"]["Labels"]["org.labctl.page"]
    assert page.startswith("https://")
    with requests.Session() as browser:
        browser.trust_env = False
        browser.verify = str(with_tls.state.ca_file)
        form = browser.get(f"{page}auth/login/", timeout=60)
        (token,) = set(re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form.text))
        values = {"csrfmiddlewaretoken": token, "username": "demo", "password": password, "region": "default"}
        answer = browser.post(form.url, data=values, headers={"Referer": form.url}, timeout=60)
        assert answer.status_code == 200, answer.text
        images = browser.get(f"{page}api/glance/images/", headers={"X-Requested-With": "XMLHttpRequest"}, timeout=60)
        assert images.status_code == 200, images.text
        assert {cookie.name for cookie in browser.cookies if not cookie.secure} <= {"login_region", "login_domain"}


def test_doctor_finds_nothing_and_a_packet_its_way(with_tls: Lab, server: tuple[Any, str]) -> None:
    ran = labctl("doctor", "--name", with_tls.name)
    assert ran.code == 0, str(ran)
    ran = labctl("trace", server[0].id, "--to", str(with_tls.plan.gateway), "--name", with_tls.name)
    assert ran.code == 0, str(ran)


def test_tempest_trusts_it_too(with_tls: Lab) -> None:
    suite = r"tempest\.api\.compute\.test_versions\.TestVersions\."
    ran = labctl("verify", "--name", with_tls.name, "--suite", suite, "--progress", "plain", timeout=600)
    assert ran.code == 0, str(ran)


def test_its_memory(with_tls: Lab) -> None:
    container = with_tls.containers()[PROXY]["Id"]
    processes = [one for one in probe("containers")["processes"] if one["container"] == container]
    assert processes
    measured(f"memory of {PROXY} (PSS)", sum(one["pss_kb"] for one in processes) * 1024 / 1e9, "GB", LIMIT_GB)
