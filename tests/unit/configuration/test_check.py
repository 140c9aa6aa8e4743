"""Every kind of mistake, where it is, and what is said of it; against options that nova's image told."""

import pytest

from labctl.configuration.check import Finding, Kind, check_files
from tests.unit.configuration.recorded_options import ini, recorded

NOVA = recorded("nova")
GLANCE = recorded("glance")


def findings(text: str, before: str = "") -> tuple[Finding, ...]:
    return check_files([ini(text)], NOVA, [ini(before)])


RIGHT = """\
[DEFAULT]
debug = yes
my_ip = 10.0.0.1
metadata_listen = $my_ip
osapi_compute_workers = 2
initial_cpu_allocation_ratio = 4
enabled_apis = osapi_compute, metadata
transport_url = rabbit://a:b@c/
reserved_huge_pages = node:0,size:2048,count:64
reserved_huge_pages = node:1,size:1GB,count:1
[LIBVIRT]
virt_type = qemu
[pci]
alias = {"name": "a # b"}
alias = {"name": "c"}
[nova_sys_admin]
user = root
[keystone_authtoken]
auth_type = v3applicationcredential
auth_url = http://10.0.0.1:5000
application_credential_id = x
[compute]
vmdk_allowed_types = streamOptimized,
    monolithicSparse
"""


def test_what_is_right_is_not_complained_of() -> None:
    assert findings(RIGHT) == ()


@pytest.mark.parametrize(
    ("text", "where", "kind", "says"),
    [
        ("debug = true\n", (1, 1), Kind.SYNTAX, "debug is outside of any section"),
        ("[DEFAULT\n", (1, 1), Kind.SYNTAX, "must end in ]"),
        ("[libvrt]\na = 1\n", (1, 1), Kind.UNKNOWN_SECTION, "unknown section [libvrt]; did you mean 'libvirt'?"),
        ("[default]\ndebug = 1\n", (1, 1), Kind.UNKNOWN_SECTION, "did you mean 'DEFAULT'?"),
        ("[DEFAULT]\ndebugg = 1\n", (2, 1), Kind.UNKNOWN_OPTION, "did you mean 'debug'?"),
        ("[libvirt]\ncpu-mode = none\n", (2, 1), Kind.UNKNOWN_OPTION, "did you mean 'cpu_mode'?"),
        ("[DEFAULT]\nvirt_type = kvm\n", (2, 1), Kind.WRONG_SECTION, "it is in section [libvirt]"),
        ("[DEFAULT]\ndebug = maybe\n", (2, 9), Kind.BAD_VALUE, "'maybe' is no boolean value"),
        ("[DEFAULT]\nosapi_compute_workers = 0\n", (2, 25), Kind.BAD_VALUE, "greater than or equal to 1"),
        ("[DEFAULT]\nosapi_compute_workers = two\n", (2, 25), Kind.BAD_VALUE, "'two' is no integer value"),
        ("[DEFAULT]\ninitial_cpu_allocation_ratio = -1\n", (2, 32), Kind.BAD_VALUE, "-1"),
        ("[vnc]\nnovncproxy_base_url=\n", (2, 21), Kind.BAD_VALUE, "'' is no uri value"),
        ("[libvirt]\nvirt_type = kvmm\n", (2, 13), Kind.BAD_VALUE, "did you mean 'kvm'?; allowed: kvm, lxc"),
        ("[DEFAULT]\nenabled_apis = metadata, ec2\n", (2, 16), Kind.BAD_VALUE, "allowed: osapi_compute, metadata"),
        ("[DEFAULT]\nreserved_huge_pages = 12\n", (2, 23), Kind.BAD_VALUE, "no dict value"),
        ("[DEFAULT]\ndebug = true # loud\n", (2, 14), Kind.INLINE_COMMENT, "part of the value of debug"),
        ("[DEFAULT]\nstate_path = /var # x\n", (2, 19), Kind.INLINE_COMMENT, "part of the value of state_path"),
        ("[DEFAULT]\ndebug = true #loud\n", (2, 14), Kind.INLINE_COMMENT, "a comment needs a line of its own"),
        ("[DEFAULT]\nstate_path = /var\n  my_ip = 1.2.3.4\n", (3, 3), Kind.INDENTED, "part of the value of state_path"),
        ("[DEFAULT]\ndebug = 1\nmy_ip = 1.2.3.4\ndebug = 0\n", (4, 1), Kind.DUPLICATE, "the first is in line 2"),
        ("[keystone_authtoken]\nauth_type = passwrd\n", (2, 13), Kind.BAD_VALUE, "did you mean 'password'?"),
        ("[keystone_authtoken]\nauth_plugin = passwrd\n", (2, 15), Kind.BAD_VALUE, "did you mean 'password'?"),
        (
            "[keystone_authtoken]\nauth_type = password\napplication_credential_id = x\n",
            (3, 1),
            Kind.UNKNOWN_OPTION,
            "with this auth_type; it is an option of v3applicationcredential",
        ),
    ],
)
def test_mistakes(text: str, where: tuple[int, int], kind: Kind, says: str) -> None:
    (found,) = [finding for finding in findings(text) if finding.is_error]
    assert (found.at.line, found.at.column) == where
    assert found.kind is kind
    assert says in found.text
    assert found.line.startswith(f"x.conf:{where[0]}:{where[1]}: ")


@pytest.mark.parametrize(
    ("text", "where", "kind", "says"),
    [
        ("[DEFAULT]\nquota_instances = 5\n", (2, 1), Kind.DEPRECATED, "use [quota] instances"),
        ("[keystone_authtoken]\nauth_uri = http://x\n", (2, 1), Kind.DEPRECATED, "use [keystone_authtoken] www_auth"),
        ("[api]\nauth_strategy = keystone\n", (2, 1), Kind.DEPRECATED, "auth_strategy will be removed: "),
        ("[DEFAULT]\nstate_path = /var/a #b\n", (2, 21), Kind.INLINE_COMMENT, "part of the value"),
    ],
)
def test_what_is_only_worth_a_look(text: str, where: tuple[int, int], kind: Kind, says: str) -> None:
    (found,) = findings(text)
    assert not found.is_error
    assert found.kind is kind
    assert says in found.text
    assert found.line.startswith(f"x.conf:{where[0]}:{where[1]}: warning: ")


def test_a_value_with_a_bad_old_name_is_checked_as_that_of_the_present_one() -> None:
    kinds = [finding.kind for finding in findings("[DEFAULT]\nquota_instances = many\n")]
    assert sorted(kinds) == [Kind.BAD_VALUE, Kind.DEPRECATED]


def test_secret_values_are_not_shown() -> None:
    text = "[database]\nconnection = sesame # x\nconnection = sesame\n[DEFAULT]\ntransport_url = sesame ; y\n"
    found = findings(text)
    assert {finding.kind for finding in found} == {Kind.INLINE_COMMENT, Kind.DUPLICATE}
    assert not any("sesame" in finding.text for finding in found)


def test_all_mistakes_are_found_in_the_order_of_the_file() -> None:
    found = findings("[DEFAULT]\ndebugg = 1\nvirt_type = x\ndebug = 2\n[foo]\n")
    assert [finding.at.line for finding in found] == [2, 3, 4, 5]


def test_the_services_own_file_chooses_the_plugin() -> None:
    text = "[keystone_authtoken]\napplication_credential_id = x\n"
    assert findings(text) == ()
    assert [one.kind for one in findings(text, "[keystone_authtoken]\nauth_type = password\n")] == [Kind.UNKNOWN_OPTION]


def test_auth_section_names_a_section() -> None:
    text = "[keystone_authtoken]\nauth_section = Elsewhere\n[elsewhere]\nusername = nova\n"
    assert findings(text) == ()
    (found,) = findings("[elsewhere]\nusername = nova\n")
    assert found.kind is Kind.UNKNOWN_SECTION


def test_an_option_names_sections() -> None:
    backend = ini("[fast]\nrbd_store_pool = images\nrbd_store_chunk_size = big\n")
    (found,) = check_files([backend], GLANCE)
    assert found.kind is Kind.UNKNOWN_SECTION
    enabled = ini("[DEFAULT]\nenabled_backends = slow:file, fast:rbd\n")
    (found,) = check_files([backend], GLANCE, [enabled])
    assert (found.kind, found.at.line) == (Kind.BAD_VALUE, 3)


def test_sections_that_only_code_names_are_known() -> None:
    assert check_files([ini("[os_glance_staging_store]\nfilesystem_store_datadir = /x\n")], GLANCE) == ()
