"""tempest.conf follows what the cloud reports."""

from collections.abc import Callable
from configparser import RawConfigParser
from dataclasses import replace

import pytest
from verify_examples import ACCOUNT, INGREDIENTS, PLACE, PLAIN, VOLUMES

from labctl.cloud.features import CloudFeatures
from labctl.verify.configuration import Place, tempest_conf


def conf(features: CloudFeatures = PLAIN, place: Place = PLACE) -> RawConfigParser:
    parser = RawConfigParser(default_section="")
    parser.read_string(tempest_conf(features, ACCOUNT, INGREDIENTS, place))
    return parser


def test_what_the_run_made_is_named() -> None:
    made = conf()
    assert made["compute"]["image_ref"] == "i1"
    assert made["compute"]["flavor_ref_alt"] == "f2"
    assert made["network"]["public_network_id"] == "n1"
    assert made["validation"]["image_ssh_user"] == "lab"
    assert made["DEFAULT"]["resource_name_prefix"] == "verify-abc"


def test_a_password_with_dollars_stays_one() -> None:
    assert conf()["auth"]["admin_password"] == "pa$$$$word"


def test_microversions_and_extensions_are_the_clouds() -> None:
    made = conf()
    assert (made["compute"]["min_microversion"], made["compute"]["max_microversion"]) == ("2.1", "2.96")
    assert made["network-feature-enabled"]["api_extensions"] == "port-security,router"


@pytest.mark.parametrize(
    ("change", "section", "option", "without", "with_it"),
    [
        (lambda f: replace(f, volume=VOLUMES), "service_available", "cinder", "false", "true"),
        (lambda f: replace(f, object_apis=("slo",)), "service_available", "swift", "false", "true"),
        (lambda f: replace(f, compute_nodes=("node1",)), "compute-feature-enabled", "live_migration", "true", "false"),
        (lambda f: replace(f, compute_nodes=("node1",)), "compute", "min_compute_nodes", "2", "1"),
        (lambda f: replace(f, network_extensions=()), "network-feature-enabled", "port_security", "true", "false"),
        (
            lambda f: replace(f, image=replace(f.image, import_methods=("glance-direct",))),
            *("image", "http_image", "http://10.77.0.1:8900/image", ""),
        ),
        (
            lambda f: replace(f, image=replace(f.image, has_cache=True)),
            *("image", "image_caching_enabled", "false", "true"),
        ),
        (
            lambda f: replace(f, services=f.services | {"key-manager"}),
            *("compute-feature-enabled", "attach_encrypted_volume", "false", "true"),
        ),
    ],
)
def test_a_feature_is_on_where_the_cloud_has_it(
    change: Callable[[CloudFeatures], CloudFeatures], section: str, option: str, without: str, with_it: str
) -> None:
    assert conf()[section][option] == without
    assert conf(change(PLAIN))[section][option] == with_it


def test_formats_are_in_the_order_that_tests_rely_on() -> None:
    formats = ("ploop", "ami", "vhd", "raw", "qcow2")
    image = conf(replace(PLAIN, image=replace(PLAIN.image, disk_formats=formats, container_formats=("ami", "bare"))))[
        "image"
    ]
    assert image["disk_formats"] == "qcow2,raw,ami,vhd,ploop"
    assert image["container_formats"] == "bare,ami"


def test_consoles_are_those_that_the_lab_runs() -> None:
    made = conf()["compute-feature-enabled"]
    assert (made["vnc_console"], made["serial_console"]) == ("true", "false")
    made = conf(place=replace(PLACE, lab_services=frozenset({"nova-serialproxy"})))["compute-feature-enabled"]
    assert (made["vnc_console"], made["serial_console"]) == ("false", "true")


def test_the_dashboard_is_where_the_lab_says() -> None:
    made = conf(place=replace(PLACE, dashboard="http://10.77.0.1:8088/"))
    assert made["service_available"]["horizon"] == "true"
    assert made["dashboard"]["dashboard_url"] == "http://10.77.0.1:8088/"
    assert conf()["service_available"]["horizon"] == "false"


def test_tempest_trusts_the_authority_of_a_lab_with_tls() -> None:
    assert (
        conf(place=replace(PLACE, ca_file="/etc/ssl/lab.pem"))["identity"]["ca_certificates_file"] == "/etc/ssl/lab.pem"
    )
    assert "ca_certificates_file" not in conf()["identity"]


def test_volumes_are_as_cinder_says() -> None:
    made = conf(replace(PLAIN, volume=VOLUMES))
    assert made["volume"]["storage_protocol"] == "ceph"
    assert made["volume"]["volume_type_multiattach"] == "many"
    assert made["volume-feature-enabled"]["backup"] == "true"
    assert made["volume-feature-enabled"]["multi_backend"] == "false"
    assert made["compute-feature-enabled"]["volume_backed_live_migration"] == "true"


def test_objects_are_as_swift_says() -> None:
    made = conf(replace(PLAIN, object_apis=("slo", "versioned_writes"), roles=frozenset({"ResellerAdmin"})))
    options = made["object-storage-feature-enabled"]
    assert options["discoverable_apis"] == "slo,versioned_writes"
    assert (options["object_versioning"], options["container_sync"]) == ("true", "false")
    assert made["object-storage"]["reseller_admin_role"] == "ResellerAdmin"


def test_accounts_are_tempests_own_unless_there_is_a_file_of_them() -> None:
    assert conf()["auth"]["use_dynamic_credentials"] == "true"
    assert "test_accounts_file" not in conf()["auth"]
    parser = RawConfigParser(default_section="")
    parser.read_string(tempest_conf(PLAIN, ACCOUNT, INGREDIENTS, PLACE, "/run/tempest/accounts.yaml"))
    assert parser["auth"]["use_dynamic_credentials"] == "false"
    assert parser["auth"]["test_accounts_file"] == "/run/tempest/accounts.yaml"
