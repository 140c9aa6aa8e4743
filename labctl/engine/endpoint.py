"""Where the docker CLI would go: the endpoint of its current context, asked from the CLI itself."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from labctl.engine.process import CommandFailed, run
from labctl.errors import EngineUnavailable

DEFAULT_HOST: Final = "unix:///var/run/docker.sock"

_INSTALL: Final = "Run `make setup` in a clone of labctl, or install Docker Engine with the compose and buildx plugins."


@dataclass(frozen=True)
class Endpoint:
    """An engine as the docker CLI reaches it.

    Attributes:
        context: The name of the context; default where DOCKER_HOST or nothing is set.
        host: Its address, such as unix:///var/run/docker.sock, tcp://HOST:PORT or ssh://USER@HOST.
        tls: The folder with ca.pem, cert.pem and key.pem; None: no TLS.
        verify: Whether the engine's certificate is checked.
    """

    context: str
    host: str
    tls: Path | None = None
    verify: bool = True

    @property
    def socket(self) -> Path | None:
        """The socket's path; None where it is not a Unix socket."""
        return Path(self.host.removeprefix("unix://")) if self.host.startswith("unix://") else None

    @property
    def is_default(self) -> bool:
        """Whether it is the machine's own engine at its usual place."""
        return self.socket in (Path("/var/run/docker.sock"), Path("/run/docker.sock"))


def endpoint() -> Endpoint:
    """Finds the engine that the docker CLI would use.

    `docker context inspect` without a name describes the current context by the CLI's own rules: DOCKER_HOST, then
    DOCKER_CONTEXT, then `currentContext` of its configuration file (cli/command/cli.go, resolveContextName).

    Returns:
        The endpoint.

    Raises:
        EngineUnavailable: There is no docker CLI, or its context does not exist.
    """
    if shutil.which("docker") is None:
        raise EngineUnavailable("There is no docker command on this machine", remedy=_INSTALL)
    try:
        text = run(["docker", "context", "inspect"], timeout=10).stdout
    except CommandFailed as error:
        raise EngineUnavailable(
            "The docker command's context cannot be used",
            evidence=error.evidence,
            remedy="`docker context ls` lists the contexts, `docker context use NAME` chooses one.",
        ) from error
    context = json.loads(text)[0]
    docker = context["Endpoints"]["docker"]
    tls = _tls_folder(context["Name"], bool(context.get("TLSMaterial")), context["Storage"].get("TLSPath", ""))
    return Endpoint(context["Name"], docker.get("Host") or DEFAULT_HOST, tls, not docker.get("SkipTLSVerify", False))


def _tls_folder(context: str, has_material: bool, storage: str) -> Path | None:
    """Returns the folder with the keys: a context's own, or the one of DOCKER_CERT_PATH."""
    if context != "default":
        return Path(storage) / "docker" if has_material else None
    if not os.environ.get("DOCKER_TLS_VERIFY") and not os.environ.get("DOCKER_TLS"):
        return None
    return Path(os.environ.get("DOCKER_CERT_PATH") or Path.home() / ".docker")
