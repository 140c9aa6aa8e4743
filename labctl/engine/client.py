"""The Docker engine: found as the docker CLI finds it, and checked for what labctl needs."""

import grp
import json
import os
import pwd
import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import docker
import requests
from docker.errors import DockerException
from docker.tls import TLSConfig

from labctl.engine.endpoint import Endpoint, endpoint
from labctl.engine.init import systemd_runs
from labctl.engine.process import run
from labctl.errors import EngineUnavailable

MIN_API: Final = (1, 44)
"""The API of engine 25: the first with `start_interval` of health checks."""

MIN_COMPOSE: Final = (2, 20)

_PROBE_SECONDS: Final = 5
_REQUEST_SECONDS: Final = 60


@dataclass(frozen=True)
class Plugins:
    """Versions of the docker CLI's plugins, as they print them; empty where one is not there."""

    compose: str
    buildx: str


def engine() -> docker.DockerClient:
    """Connects to the engine that the docker CLI would use, and checks it and the CLI's plugins.

    Returns:
        A client whose requests may take 60 seconds. The caller closes it.

    Raises:
        EngineUnavailable: There is no docker CLI, nothing answers, the socket is not ours to use, the engine is older
            than 25, or a plugin is missing or too old.
    """
    client = connect(endpoint())
    try:
        check_plugins(plugins())
    except BaseException:
        client.close()
        raise
    return client


def connect(where: Endpoint) -> docker.DockerClient:
    """Connects to an engine and checks its version.

    Args:
        where: The engine.

    Returns:
        A client whose requests may take 60 seconds. The caller closes it.

    Raises:
        EngineUnavailable: Nothing answers, the socket is not ours to use, or the engine is older than 25.
    """
    if where.socket is not None:
        _knock(where, where.socket)
    try:
        client = docker.DockerClient(
            base_url=where.host,
            version="auto",
            timeout=_PROBE_SECONDS,
            tls=_tls(where),
            use_ssh_client=where.host.startswith("ssh://"),
        )
    except (DockerException, requests.RequestException, OSError) as error:
        raise EngineUnavailable(
            f"No Docker engine answers at {where.host}",
            evidence=[str(error)],
            remedy="`docker version` and `docker context ls` say more.",
        ) from error
    try:
        _check_version(client)
    except BaseException:
        client.close()
        raise
    client.api.timeout = _REQUEST_SECONDS
    return client


def plugins() -> Plugins:
    """Asks the docker CLI for its plugins; one call, and none to the engine's own data.

    Returns:
        Their versions.
    """
    asked = run(["docker", "info", "--format", "{{json .ClientInfo.Plugins}}"], timeout=20, check=False)
    try:
        found = {plugin["Name"]: plugin.get("Version", "") for plugin in json.loads(asked.stdout) or ()}
    except json.JSONDecodeError:
        found = {}
    return Plugins(compose=found.get("compose", ""), buildx=found.get("buildx", ""))


def check_plugins(found: Plugins) -> None:
    """Checks that Compose 2.20 or newer and buildx are there.

    Args:
        found: The versions.

    Raises:
        EngineUnavailable: One is missing or too old.
    """
    remedy = "Run `make setup` in a clone of labctl, or install the plugins (packages docker-compose, docker-buildx)."
    if not found.compose or not found.buildx:
        missing = " and ".join(name for name, version in vars(found).items() if not version)
        raise EngineUnavailable(f"The docker command has no {missing} plugin", remedy=remedy)
    if _numbers(found.compose) < MIN_COMPOSE:
        raise EngineUnavailable(
            f"Docker Compose {found.compose} is too old: labctl needs {MIN_COMPOSE[0]}.{MIN_COMPOSE[1]} or newer",
            remedy=remedy,
        )


def _knock(where: Endpoint, path: Path) -> None:
    """Connects to the socket once: the kernel's own answer tells the causes apart, the SDK's error does not."""
    try:
        with socket.socket(socket.AF_UNIX) as knock:
            knock.settimeout(_PROBE_SECONDS)
            knock.connect(str(path))
    except PermissionError as error:
        raise EngineUnavailable(
            f"You have no permission on the Docker engine's socket {path}",
            evidence=[_who_may(path)],
            remedy=_group_remedy(path),
        ) from error
    except OSError as error:
        raise EngineUnavailable(
            "The Docker engine does not run",
            evidence=[f"{where.host} (docker context {where.context}): {error.strerror or error}"],
            remedy=_start_remedy(where),
        ) from error


def _start_remedy(where: Endpoint) -> str:
    if not where.is_default:
        return "DOCKER_HOST or the docker context points there: start that engine, or `docker context use default`."
    return "sudo systemctl start docker" if systemd_runs() else "labctl engine start"


def _who_may(path: Path) -> str:
    try:
        status = path.stat()
        group = grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError) as error:
        return str(error)
    return f"{path} belongs to group {group}, mode {status.st_mode & 0o777:o}"


def _group_remedy(path: Path) -> str:
    try:
        me = pwd.getpwuid(os.getuid()).pw_name
        group = grp.getgrgid(path.stat().st_gid)
    except (OSError, KeyError):
        return "Ask the machine's administrator for access to the socket."
    if me in group.gr_mem:
        who = group.gr_name
        return f"This session is older than your place in the group {who}: log in again, or run `newgrp {who}`."
    return (
        f"sudo usermod -aG {group.gr_name} {me}, then log in again or run `newgrp {group.gr_name}`. "
        "(Whoever may use the engine can become root.)"
    )


def _check_version(client: docker.DockerClient) -> None:
    version = client.version()
    api = version.get("ApiVersion", "0")
    if _numbers(api) < MIN_API:
        raise EngineUnavailable(
            f"The Docker engine is too old: it is {version.get('Version', '?')}, and labctl needs 25 or newer",
            evidence=[f"API {api}; start_interval of health checks came with API {MIN_API[0]}.{MIN_API[1]}"],
            remedy="Install a newer engine: docker.io of Debian 13 or Ubuntu 24.04, or the packages of docker.com.",
        )


def _tls(where: Endpoint) -> TLSConfig | bool:
    if where.tls is None:
        return False
    ca = where.tls / "ca.pem"
    return TLSConfig(
        client_cert=(str(where.tls / "cert.pem"), str(where.tls / "key.pem")),
        ca_cert=str(ca) if ca.exists() else None,
        verify=where.verify,
    )


def _numbers(version: str) -> tuple[int, ...]:
    """Reads `v2.26.1-4` as (2, 26, 1)."""
    leading = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(part) for part in leading.group(1).split(".")) if leading else ()
