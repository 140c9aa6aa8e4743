"""What is shown of a service's configuration: text that oslo.config reads, JSON, and no secrets."""

import json

from labctl.configuration.origin import effective
from labctl.ui.configuration import Masking, as_file, as_json
from tests.unit.configuration.recorded_options import ini, recorded

FOUND = effective(
    [
        ini("[DEFAULT]\ntransport_url = rabbit://a:b@c/\nmy_ip = 1.1.1.1\n[vnc]\nnovncproxy_base_url = http://u:p@h\n"),
        ini("[DEFAULT]\nmy_ip = lab-secret-2\nunheard_password = x\nunheard = y\n[pci]\nalias = {\n  }\n", "y.conf"),
    ],
    recorded("nova"),
)
MASKED = Masking(["lab-secret", "lab-secret-2"], show=False)


def test_as_a_file() -> None:
    assert as_file(FOUND, MASKED, str, origin=False).splitlines() == [
        "[DEFAULT]",
        "my_ip = ****",
        "transport_url = ****",
        "unheard = y",
        "unheard_password = ****",
        "",
        "[pci]",
        "alias = {",
        "    }",
        "",
        "[vnc]",
        "novncproxy_base_url = http://u:****@h",
    ]


def test_it_reads_back_as_the_same() -> None:
    text = as_file(FOUND, Masking([], show=True), str, origin=True)
    again = effective([ini(text)], recorded("nova"))
    assert [(one.section, one.name, one.values) for one in again] == [
        (one.section, one.name, one.values) for one in FOUND
    ]


def test_with_origin() -> None:
    lines = as_file(FOUND, MASKED, lambda path: f"etc/{path.name}", origin=True).splitlines()
    assert lines[1:4] == ["# etc/y.conf:2", "# etc/x.conf:3: overridden: 1.1.1.1", "my_ip = ****"]
    assert "# etc/y.conf:4: no registered option" in lines


def test_defaults_are_comments() -> None:
    found = effective([], recorded("nova"), with_defaults=True)
    lines = as_file(found, MASKED, str, origin=True).splitlines()
    assert "#virt_type = kvm" in lines
    assert lines[lines.index("#virt_type = kvm") - 1] == "# default of nova 30.3.0"
    assert not any(line and not line.startswith(("#", "[")) for line in lines)


def test_as_json() -> None:
    described = {entry["name"]: entry for entry in json.loads(as_json(FOUND, MASKED, str))}
    assert described["my_ip"] == {
        "section": "DEFAULT",
        "name": "my_ip",
        "values": ["****"],
        "given": [{"value": "****", "file": "y.conf", "line": 2}],
        "overridden": [{"value": "1.1.1.1", "file": "x.conf", "line": 3}],
        "package": "nova 30.3.0",
    }


def test_secrets_are_shown_on_request() -> None:
    assert "transport_url = rabbit://a:b@c/" in as_file(FOUND, Masking(["a"], show=True), str, origin=False)
