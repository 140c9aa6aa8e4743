"""What a machine needs for downloads: what is handed to builds, and what is left out."""

import stat
from pathlib import Path

import pytest

from labctl.build import machine
from labctl.build.machine import (
    apt_configuration,
    apt_sources,
    build_secrets,
    ca_bundle,
    download_environment,
    pip_index,
)

INDEX = "https://pypi.example.org/simple"


def test_a_machine_that_needs_nothing_hands_over_nothing() -> None:
    assert download_environment({}, "") == ""
    assert download_environment({"HOME": "/root", "AWS_SECRET_ACCESS_KEY": "x", "http_proxy": ""}, "") == ""
    assert apt_configuration({}, "") == ""
    assert apt_sources("", "bookworm") == ""


def test_proxies_are_exported_in_a_form_that_a_shell_reads() -> None:
    text = download_environment({"http_proxy": "http://me:a b$c@proxy.example.org:3128", "NO_PROXY": "localhost"}, "")
    assert text == "export http_proxy='http://me:a b$c@proxy.example.org:3128'\nexport NO_PROXY=localhost\n"


def test_the_index_of_pip_counts_for_uv_too() -> None:
    for environment, index in (({"PIP_INDEX_URL": INDEX}, ""), ({}, INDEX), ({"PIP_INDEX_URL": INDEX}, "https://b")):
        lines = download_environment(environment, index).splitlines()
        assert lines == [f"export PIP_INDEX_URL={INDEX}", f"export UV_DEFAULT_INDEX={INDEX}"]


def test_an_index_of_uv_is_kept() -> None:
    text = download_environment({"UV_DEFAULT_INDEX": "https://uv.example.org", "PIP_INDEX_URL": INDEX}, "")
    assert "export UV_DEFAULT_INDEX=https://uv.example.org\n" in text
    assert download_environment({"UV_DEFAULT_INDEX": "https://uv.example.org"}, INDEX).count("export") == 1


@pytest.mark.parametrize("name", ["PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX"])
def test_an_index_on_the_machines_own_disk_is_left_out(name: str) -> None:
    text = download_environment({name: "file:///srv/wheels", "https_proxy": "http://p"}, "")
    assert text == "export https_proxy=http://p\n"


@pytest.mark.parametrize(
    ("text", "index"),
    [
        (f"[global]\nindex-url = {INDEX}\n", INDEX),
        (f"[global]\n  index-url={INDEX}\nextra-index-url = https://other\n", INDEX),
        ("[global]\nextra-index-url = https://other\n", ""),
        ("# index-url = https://other\n", ""),
        ("", ""),
    ],
)
def test_the_index_of_pips_own_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, index: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    of_the_system = pip_index({})
    for place in (tmp_path / ".config" / "pip" / "pip.conf", tmp_path / "named.conf"):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        assert pip_index({"PIP_CONFIG_FILE": str(place)} if place.name == "named.conf" else {}) == (
            index or of_the_system
        )
        place.unlink()


def test_apt_uses_its_own_proxy_before_that_of_the_environment() -> None:
    assert apt_configuration({"http_proxy": "http://b"}, "http://a").splitlines() == [
        'Acquire::http::Proxy "http://a";',
        'Acquire::https::Proxy "http://a";',
    ]
    assert '"http://b"' in apt_configuration({"http_proxy": "http://b"}, "")
    assert '"http://c"' in apt_configuration({"HTTP_PROXY": "http://c"}, "")


@pytest.mark.parametrize("mirror", ["https://mirror.example.org/debian", "https://mirror.example.org/debian/"])
def test_the_apt_sources_of_a_mirror(mirror: str) -> None:
    archive, security = apt_sources(mirror, "trixie").split("\n\n")
    assert "URIs: https://mirror.example.org/debian\nSuites: trixie trixie-updates\n" in archive
    assert "URIs: https://mirror.example.org/debian-security\nSuites: trixie-security\n" in security
    for entry in (archive, security):
        assert "Types: deb\n" in entry
        assert "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg" in entry


def test_the_bundle_that_the_environment_names_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system, named, other = (tmp_path / name for name in ("system.crt", "named.crt", "other.crt"))
    monkeypatch.setattr(machine, "SYSTEM_BUNDLES", (tmp_path / "none.crt", system))
    assert ca_bundle({}) is None
    system.touch()
    assert ca_bundle({}) == system
    for each in (named, other):
        each.touch()
    assert ca_bundle({"PIP_CERT": str(other), "SSL_CERT_FILE": str(named)}) == named
    assert ca_bundle({"SSL_CERT_FILE": str(tmp_path / "gone"), "PIP_CERT": str(other)}) == other
    assert ca_bundle({"SSL_CERT_FILE": str(tmp_path)}) == system


def test_secrets_are_files_for_this_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SYSTEM_BUNDLES", ())
    monkeypatch.setattr(machine, "apt_proxy", lambda: "")
    for name in (*machine.PROXY_VARIABLES, *machine.INDEX_VARIABLES, *machine.BUNDLE_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", INDEX)
    monkeypatch.setenv(machine.MIRROR_VARIABLE, "https://mirror.example.org/debian")
    folder = tmp_path / "secrets"
    found = build_secrets(folder, "bookworm")
    assert found == {name: folder / name for name in ("download-environment", "apt-sources")}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in found.values())
    assert INDEX in found["download-environment"].read_text()

    monkeypatch.delenv(machine.MIRROR_VARIABLE)
    assert set(build_secrets(folder, "bookworm")) == {"download-environment"}
    assert [path.name for path in folder.iterdir()] == ["download-environment"], "what is not needed any more is gone"


def test_a_mirror_whose_host_is_called_debian() -> None:
    _, security = apt_sources("https://debian.example.org/debian", "trixie").split("\n\n")
    assert "URIs: https://debian.example.org/debian-security\n" in security


def test_a_mirror_whose_path_is_another() -> None:
    assert "Suites: trixie trixie-updates\n" in apt_sources("https://mirror.example.org/os", "trixie")
