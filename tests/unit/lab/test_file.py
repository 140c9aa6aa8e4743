"""The lab file: what it takes, and that each mistake is named at its place."""

import os
from ipaddress import IPv4Network
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import pytest

from labctl.errors import BadInput
from labctl.lab.file import LabFile, dump_lab_file, load_lab_file, with_values
from labctl.lab.names import nearest, parse_lab_name
from labctl.lab.nodes import NODES_ALLOWED

SERVICES = ("keystone", "neutron-server", "nova-compute")
KEYS = (
    "version, name, nodes, release, address_range, guest, guest_sha256, guest_user, configuration, sources, with, "
    "glance, images, network, reach, tls, wait_timeout"
)


def write(folder: Path, text: str) -> Path:
    path = folder / "lab.yaml"
    path.write_text(dedent(text))
    return path


def mistakes(folder: Path, text: str) -> list[str]:
    """The evidence of the error that a file gives, without the folder."""
    path = write(folder, text)
    with pytest.raises(BadInput) as caught:
        load_lab_file(path, SERVICES)
    return [line.replace(f"{folder}/", "") for line in caught.value.evidence]


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}\n", "---\n"])
def test_an_empty_file_is_the_default_lab(tmp_path: Path, text: str) -> None:
    assert load_lab_file(write(tmp_path, text), SERVICES) == LabFile()


def test_every_value_is_read(tmp_path: Path) -> None:
    (tmp_path / "extra").mkdir()
    (tmp_path / "a.conf").touch()
    (tmp_path / "guest.img").touch()
    text = """\
        version: 1
        name: two-2
        nodes: 2
        release: 2024.2
        address_range: 10.20.0.0/22
        guest: guest.img
        guest_user: cirros
        configuration:
          keystone: [a.conf, extra]
        wait_timeout: 60
        """
    lab = load_lab_file(write(tmp_path, text), SERVICES)
    assert lab == LabFile(
        name="two-2",
        nodes=("node1", "node2"),
        release="2024.2",
        address_range=IPv4Network("10.20.0.0/22"),
        guest=str(tmp_path / "guest.img"),
        guest_user="cirros",
        configuration={"keystone": (tmp_path / "a.conf", tmp_path / "extra")},
        wait_timeout=60,
    )
    assert load_lab_file(write(tmp_path, dump_lab_file(lab)), SERVICES) == lab


def test_dump_spells_out_every_value() -> None:
    assert dump_lab_file(LabFile(configuration={"keystone": (Path("/a.conf"),)})) == dedent("""\
        version: 1
        name: lab
        nodes: 1
        release: '2024.2'
        address_range: null
        guest: null
        guest_sha256: null
        guest_user: null
        configuration:
          keystone:
          - /a.conf
        sources: {}
        with: []
        glance:
          store: file
        images: local
        network: self-service
        reach:
          local_network: false
          networks: []
        tls: false
        wait_timeout: null
        """)


def test_text_is_not_turned_into_numbers_or_booleans(tmp_path: Path) -> None:
    lab = load_lab_file(write(tmp_path, "release: 2024.10\nname: off\n"), SERVICES)
    assert (lab.release, lab.name) == ("2024.10", "off")


def test_a_guest_can_be_a_url(tmp_path: Path) -> None:
    assert load_lab_file(write(tmp_path, "guest: https://example.org/c.img\n"), SERVICES).guest == (
        "https://example.org/c.img"
    )


def test_source_trees_are_folders_relative_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "nova").mkdir()
    (tmp_path / "link").symlink_to("nova")
    lab = load_lab_file(write(tmp_path, "sources: {nova: nova, nova-api: ./link}\n"), SERVICES)
    assert lab.sources == {"nova": tmp_path / "nova", "nova-api": tmp_path / "nova"}
    assert load_lab_file(write(tmp_path, dump_lab_file(lab)), SERVICES) == lab


def test_a_file_that_does_not_speak_of_sources_can_be_told_from_one_without_any(tmp_path: Path) -> None:
    assert "sources" not in load_lab_file(write(tmp_path, "nodes: 1\n"), SERVICES).model_fields_set
    assert "sources" in load_lab_file(write(tmp_path, "sources: {}\n"), SERVICES).model_fields_set


def test_a_source_tree_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    text = "sources:\n  nova: gone\n  glance: file\n"
    assert mistakes(tmp_path, text) == [
        "lab.yaml:2:9: sources.nova: no such folder: gone",
        "lab.yaml:3:11: sources.glance: no such folder: file",
    ]
    load_lab_file(write(tmp_path, text), SERVICES, check_files=False)


def test_all_mistakes_are_named_at_once_in_order(tmp_path: Path) -> None:
    text = """\
        nodez: 3
        nodes: 65
        configuration:
          nova-compue: [x.conf]
        nodes: 2
        """
    assert mistakes(tmp_path, text) == [
        f"lab.yaml:1:1: nodez: unknown key; did you mean 'nodes'?; allowed: {KEYS}",
        f"lab.yaml:2:8: nodes: '65' is not allowed; allowed: {NODES_ALLOWED}",
        "lab.yaml:4:3: configuration.nova-compue: unknown service; did you mean 'nova-compute'?; "
        "allowed: keystone, neutron-server, nova-compute",
        f"lab.yaml:4:17: configuration.nova-compue[0]: no such file or folder: {tmp_path}/x.conf".replace(
            f"{tmp_path}/", ""
        ),
        "lab.yaml:5:1: nodes: this key is here twice; the first is in line 2",
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("version: 2", "1:10: version: '2' is not allowed; allowed: 1"),
        ("version: true", "1:10: version: 'true' is not allowed; allowed: 1"),
        ("nodes: true", f"1:8: nodes: 'true' is not allowed; allowed: {NODES_ALLOWED}"),
        ("nodes: '3'", f"1:8: nodes: '3' is not allowed; allowed: {NODES_ALLOWED}"),
        ("nodes: 1.5", f"1:8: nodes: '1.5' is not allowed; allowed: {NODES_ALLOWED}"),
        ("nodes: [node1, node1]", f"1:8: nodes: '[node1, node1]' is not allowed; allowed: {NODES_ALLOWED}"),
        ("nodes: [node65]", f"1:8: nodes: '[node65]' is not allowed; allowed: {NODES_ALLOWED}"),
        ("nodes: []", f"1:8: nodes: '[]' is not allowed; allowed: {NODES_ALLOWED}"),
        ("nodes: [1]", f"1:8: nodes: '[1]' is not allowed; allowed: {NODES_ALLOWED}"),
        ("nodes:", f"1:7: nodes: 'null' is not allowed; allowed: {NODES_ALLOWED}"),
        ("nodes: 0", f"1:8: nodes: '0' is not allowed; allowed: {NODES_ALLOWED}"),
        (
            "name: My_Lab",
            "1:7: name: 'My_Lab' is not allowed; "
            "allowed: 1 to 30 of a-z, 0-9 and -, starting with a letter and not ending in -",
        ),
        (
            "release: ../etc",
            "1:10: release: '../etc' is not allowed; allowed: the name of a release, such as 2024.2",
        ),
        (
            "address_range: 10.20.1.0/22",
            "1:16: address_range: '10.20.1.0/22' is not allowed; did you mean '10.20.0.0/22'?; "
            "allowed: a private /22, such as 10.20.0.0/22, or null",
        ),
        (
            "address_range: 8.8.8.0/22",
            "1:16: address_range: '8.8.8.0/22' is not allowed; allowed: a private /22, such as 10.20.0.0/22, or null",
        ),
        (
            "address_range: 10.0.0.0/8",
            "1:16: address_range: '10.0.0.0/8' is not allowed; allowed: a private /22, such as 10.20.0.0/22, or null",
        ),
        (
            "address_range: 7",
            "1:16: address_range: '7' is not allowed; allowed: a private /22, such as 10.20.0.0/22, or null",
        ),
        ("guest: no.img", "1:8: guest: no such file: no.img"),
        (
            "configuration: [a]",
            "1:16: configuration: '[a]' is not allowed; allowed: for each service, a list of drop-in files or folders",
        ),
        (
            "configuration: {keystone: 7}",
            "1:27: configuration.keystone: '7' is not allowed; "
            "allowed: for each service, a list of drop-in files or folders",
        ),
        (
            "wait_timeout: 5m",
            "1:15: wait_timeout: '5m' is not allowed; allowed: seconds, a whole number from 1 to 86400, or null",
        ),
        ("? [a, b]\n: 1", "1:3: a key must be one word"),
        ("- nodes", "1:1: the file must hold keys and values"),
        ("nodes: 2024-13-45", "1:8: nodes: this value cannot be read: month must be in 1..12"),
    ],
)
def test_one_mistake(tmp_path: Path, line: str, expected: str) -> None:
    assert mistakes(tmp_path, line)[0] == f"lab.yaml:{expected}"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"nodes: [1\nname: x\n", "2:5: not YAML: expected ',' or ']', but got ':'"),
        (b"a: 'x\n", "2:1: not YAML: found unexpected end of stream"),
        (b"name: ok\n# \xff\n", "2:3: not YAML: this byte is not UTF-8"),
        (b"name: a\x07b\n", "1:8: not YAML: the character U+0007 is not allowed in YAML"),
        (b"--- {}\n--- {}\n", "2:1: not YAML: but found another document"),
        (b"a: *b\n", "1:4: not YAML: found undefined alias 'b'"),
    ],
)
def test_malformed_yaml_is_named_at_its_place(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "lab.yaml"
    path.write_bytes(content)
    with pytest.raises(BadInput) as caught:
        load_lab_file(path, SERVICES)
    assert caught.value.evidence == (f"{path}:{expected}",)


def test_an_alias_of_itself_is_a_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, "configuration: &a {keystone: *a}")[0] == (
        "lab.yaml:1:16: configuration.keystone: an alias cannot stand for something that it is part of"
    )


def test_an_alias_of_something_else_is_fine(tmp_path: Path) -> None:
    (tmp_path / "a.conf").touch()
    text = "configuration: {keystone: &a [a.conf], nova-compute: *a}"
    lab = load_lab_file(write(tmp_path, text), SERVICES)
    assert lab.configuration["keystone"] == lab.configuration["nova-compute"]


@pytest.mark.parametrize("name", ["missing.yaml", "."])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load_lab_file(tmp_path / name, SERVICES)


def test_the_copy_of_a_lab_that_is_up_is_read_without_its_files(tmp_path: Path) -> None:
    path = write(tmp_path, "guest: /gone.img\nconfiguration: {keystone: [/gone.conf]}\n")
    assert load_lab_file(path, SERVICES, check_files=False).guest == "/gone.img"


def test_flags_replace_values_and_are_checked() -> None:
    assert with_values(LabFile(name="x"), nodes=3) == LabFile(name="x", nodes=3)
    with pytest.raises(BadInput) as caught:
        with_values(LabFile(), nodes=65)
    assert caught.value.evidence == (f"nodes: '65' is not allowed; allowed: {NODES_ALLOWED}",)


@pytest.mark.parametrize("name", ["a", "lab", "a-b", "a" * 30, "x9"])
def test_lab_names(name: str) -> None:
    assert parse_lab_name(name) == name


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("My Lab", "Take another name, for example 'my-lab'."),
        ("a-", "Take another name, for example 'a'."),
        ("9lives", "Take another name, for example 'lives'."),
        ("a" * 31, f"Take another name, for example '{'a' * 30}'."),
        ("a\n", "Take another name, for example 'a'."),
        ("", "Take another name."),
        ("../x", "Take another name, for example 'x'."),
    ],
)
def test_names_that_no_lab_can_have(name: str, remedy: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_lab_name(name)
    assert caught.value.remedy == remedy


def test_nearest() -> None:
    assert nearest("Keystne", SERVICES) == "did you mean 'keystone'?"
    assert nearest("zzz", SERVICES) == ""


def test_who_reaches_the_lab(tmp_path: Path) -> None:
    lab = load_lab_file(write(tmp_path, "reach: {local_network: true, networks: [kind]}\n"), SERVICES)
    assert (lab.reach.local_network, lab.reach.networks) == (True, ("kind",))
    assert load_lab_file(write(tmp_path, dump_lab_file(lab)), SERVICES) == lab


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("reach: {networkz: [kind]}\n", "unknown key; did you mean 'networks'?; allowed: local_network, networks"),
        ("reach: {local_network: 1}\n", "'1' is not allowed"),
        ("reach: {networks: kind}\n", "'kind' is not allowed"),
        ("reach: {networks: ['']}\n", "'' is not allowed"),
        ("reach: lan\n", "'lan' is not allowed"),
    ],
)
def test_what_reach_may_not_say(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        load_lab_file(write(tmp_path, text), SERVICES)
    assert said in refused.value.evidence[0]


def test_a_guest_over_plain_http_needs_its_checksum(tmp_path: Path) -> None:
    (line,) = mistakes(tmp_path, "guest: http://example.org/c.img\n")
    assert line.startswith("lab.yaml:1:8: guest: over plain http")
    text = f"guest: http://example.org/c.img\nguest_sha256: {'0' * 64}\n"
    assert load_lab_file(write(tmp_path, text), SERVICES).guest_sha256 == "0" * 64
    (line,) = mistakes(tmp_path, "guest_sha256: ABC\n")
    assert "64 of 0-9 and a-f" in line


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{after}: &{after} [{', '.join([f'*{before}'] * 10)}]\n" for before, after in pairwise("abcdefghij")
)
HURTING = {
    "bomb": BOMB,
    "brackets": "[" * 3000,
    "braces": "{a: " * 3000,
    "itself": "nodes: &a [*a]",
    "merged itself": "a: &a\n  <<: *a\n",
    "float": "nodes: !!float x",
    "timestamp": "nodes: !!timestamp x",
    "bool": "nodes: !!bool x",
    "int": "nodes: !!int ''",
    "long number": "nodes: " + "9" * 5000,
    "long number to the base of 60": "nodes: " + ":".join(["9"] * 9000),
    "long number of a directive": "%YAML 9." + "9" * 5000 + "\n---\nname: x\n",
    "a day that is none": "nodes: 2001-13-45",
    "a time before all times": "nodes: 0001-01-01T00:00:00+23:59",
    "a zone that is none": "nodes: 2001-12-14t21:59:43.10-99:99",
    "NUL": 'guest: "a\\0b"',
    "half a character": 'guest: "\\ud800"',
    "long name": "guest: " + "x" * 5000,
    "long name of a drop-in": f"configuration: {{keystone: [{'x' * 5000}]}}",
    "NUL in a drop-in": 'configuration: {keystone: ["a\\0"]}',
    "NUL in a tree": 'sources: {nova: "a\\0"}',
    "long lab": "name: " + "x" * 5000,
    "control character": "name: \x1b[2J",
    "many": "nodes: [" + ", ".join(["node1"] * 9000) + "]",
    "large": "x" * (64 * 1024 + 1),
}


@pytest.mark.parametrize("text", HURTING.values(), ids=HURTING)
def test_a_file_that_is_made_to_hurt_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput):
        load_lab_file(write(tmp_path, text), SERVICES)


@pytest.mark.parametrize("name", ["/dev/zero", "x" * 5000, "a\0b", "\ud800", "."], ids=ascii)
def test_what_is_no_file_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load_lab_file(Path(name), SERVICES)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "lab.yaml")
    with pytest.raises(BadInput) as caught:
        load_lab_file(tmp_path / "lab.yaml", SERVICES)
    assert caught.value.evidence == ("it is no regular file",)
