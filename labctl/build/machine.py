"""What this machine needs for downloads, handed to builds as BuildKit secrets so that it ends up in no image."""

import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from labctl.engine.process import run

PROXY_VARIABLES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
INDEX_VARIABLES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "UV_DEFAULT_INDEX", "UV_INDEX")
BUNDLE_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")
SYSTEM_BUNDLES = (Path("/etc/ssl/certs/ca-certificates.crt"), Path("/etc/pki/tls/certs/ca-bundle.crt"))
MIRROR_VARIABLE = "LABCTL_DEBIAN_MIRROR"
"""Address of a mirror of Debian's archive, used in builds instead of the official one."""


def build_secrets(folder: Path, debian: str) -> dict[str, Path]:
    """Writes what this machine needs for downloads into 0600 files.

    Args:
        folder: Where to write; 0700.
        debian: Suite, for the apt sources of a mirror.

    Returns:
        BuildKit secret id to file. Only what this machine really needs.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    contents = {
        "download-environment": download_environment(os.environ, pip_index(os.environ)),
        "apt-configuration": apt_configuration(os.environ, apt_proxy()),
        "apt-sources": apt_sources(os.environ.get(MIRROR_VARIABLE, ""), debian),
    }
    secrets = {}
    for name, text in contents.items():
        path = folder / name
        if text:
            path.touch(mode=0o600)
            path.write_text(text)
            secrets[name] = path
        else:
            path.unlink(missing_ok=True)
    bundle = ca_bundle(os.environ)
    return {**secrets, **({"ca-bundle": bundle} if bundle else {})}


def ca_bundle(environment: Mapping[str, str]) -> Path | None:
    """The machine's certificates, which may hold a private authority: what the environment names, else the system's."""
    named = (Path(environment[name]) for name in BUNDLE_VARIABLES if environment.get(name))
    return next((path for path in (*named, *SYSTEM_BUNDLES) if path.is_file()), None)


def download_environment(environment: Mapping[str, str], index: str) -> str:
    """A shell file that exports proxies and package indexes; empty where the machine has none.

    Indexes on this machine's own disk are left out: a build step cannot see them.
    """
    chosen = {name: environment[name] for name in (*PROXY_VARIABLES, *INDEX_VARIABLES) if environment.get(name)}
    if index and not {"PIP_INDEX_URL", "UV_DEFAULT_INDEX"} & set(chosen):
        chosen["PIP_INDEX_URL"] = index
    if "PIP_INDEX_URL" in chosen:
        chosen.setdefault("UV_DEFAULT_INDEX", chosen["PIP_INDEX_URL"])
    reachable = {name: value for name, value in chosen.items() if "file:" not in value}
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in reachable.items())


def pip_index(environment: Mapping[str, str]) -> str:
    """The package index that pip's configuration files name; empty where they name none."""
    paths = [Path("/etc/pip.conf"), Path.home() / ".pip/pip.conf", Path.home() / ".config/pip/pip.conf"]
    if environment.get("PIP_CONFIG_FILE"):
        paths.append(Path(environment["PIP_CONFIG_FILE"]))
    found = ""
    for path in paths:
        text = path.read_text() if path.is_file() else ""
        match = re.search(r"^\s*index-url\s*=\s*(\S+)", text, re.MULTILINE)
        found = match.group(1) if match else found
    return found


def apt_proxy() -> str:
    """The proxy of the machine's own apt; empty where it has none or there is no apt."""
    answer = run(["apt-config", "shell", "proxy", "Acquire::http::Proxy"], check=False) if has_apt() else None
    match = re.search(r"proxy='([^']*)'", answer.stdout) if answer else None
    return match.group(1) if match else ""


def has_apt() -> bool:
    """Whether this machine has apt."""
    return Path("/usr/bin/apt-config").exists()


def apt_configuration(environment: Mapping[str, str], proxy: str) -> str:
    """Settings for apt in builds: the machine's proxy."""
    address = proxy or environment.get("http_proxy", "") or environment.get("HTTP_PROXY", "")
    return f'Acquire::http::Proxy "{address}";\nAcquire::https::Proxy "{address}";\n' if address else ""


def apt_sources(mirror: str, debian: str) -> str:
    """The apt sources of a mirror of Debian's archive; empty where none is asked for."""
    if not mirror:
        return ""
    root, keyring = mirror.rstrip("/"), "/usr/share/keyrings/debian-archive-keyring.gpg"
    # Mirrors carry the security archive beside the main one, under the name that it has at Debian.
    security = root.removesuffix("/debian") + "/debian-security"
    suites = {root: f"{debian} {debian}-updates", security: f"{debian}-security"}
    entries = (
        f"Types: deb\nURIs: {address}\nSuites: {names}\nComponents: main\nSigned-By: {keyring}\n"
        for address, names in suites.items()
    )
    return "\n".join(entries)
