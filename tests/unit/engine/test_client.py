"""Finding an engine and telling apart what can be wrong with it, against small fake engines and docker commands."""

import json
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingUnixStreamServer

import pytest

from labctl.engine.client import Plugins, check_plugins, connect, engine, plugins
from labctl.engine.endpoint import Endpoint, endpoint
from labctl.errors import EngineUnavailable


@contextmanager
def fake_engine(folder: Path, version: str, api: str) -> Iterator[Endpoint]:
    """Answers /version and nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"Version": version, "ApiVersion": api, "MinAPIVersion": "1.24"}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

        def address_string(self) -> str:
            return "unix"

    path = folder / "engine.sock"
    with ThreadingUnixStreamServer(str(path), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Endpoint("default", f"unix://{path}")
        finally:
            server.shutdown()
            thread.join()


DockerCommand = Callable[[object, object], None]


@pytest.fixture
def docker_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DockerCommand:
    """Puts a docker command into PATH that answers `context inspect` and `info` with given data."""
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"):
        monkeypatch.delenv(name, raising=False)

    def make(context: object, info: object = None) -> None:
        (tmp_path / "context").write_text(json.dumps([context]))
        (tmp_path / "info").write_text(json.dumps(info))
        script = tmp_path / "docker"
        script.write_text(
            f'#!/bin/sh\nif [ "$1" = context ]; then cat {tmp_path}/context; else cat {tmp_path}/info; fi\n'
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    return make


def a_context(host: str, name: str = "default", **more: object) -> dict[str, object]:
    return {
        "Name": name,
        "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}},
        "TLSMaterial": {},
        "Storage": {"TLSPath": "<IN MEMORY>"},
        **more,
    }


def test_the_endpoint_is_what_the_docker_command_says(docker_command: DockerCommand) -> None:
    docker_command(a_context("unix:///var/run/docker.sock"), None)
    found = endpoint()
    assert found == Endpoint("default", "unix:///var/run/docker.sock")
    assert found.is_default


def test_a_context_brings_its_own_keys(docker_command: DockerCommand) -> None:
    more = {"TLSMaterial": {"docker": ["ca.pem"]}, "Storage": {"TLSPath": "/contexts/tls/abc"}}
    docker_command(a_context("tcp://10.0.0.1:2376", "far", **more), None)
    found = endpoint()
    assert found == Endpoint("far", "tcp://10.0.0.1:2376", Path("/contexts/tls/abc/docker"))
    assert found.socket is None


def test_docker_cert_path_counts_with_tls_verify(
    docker_command: DockerCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker_command(a_context("tcp://10.0.0.1:2376"), None)
    monkeypatch.setenv("DOCKER_CERT_PATH", "/keys")
    assert endpoint().tls is None
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    assert endpoint().tls == Path("/keys")


def test_no_docker_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineUnavailable, match="There is no docker command") as caught:
        endpoint()
    assert "make setup" in caught.value.remedy


def test_a_good_engine(tmp_path: Path, docker_command: DockerCommand) -> None:
    with fake_engine(tmp_path, "26.1.5", "1.45") as where:
        docker_command(
            a_context(where.host),
            [{"Name": "buildx", "Version": "0.13.1"}, {"Name": "compose", "Version": "2.26.1-4"}],
        )
        with closing(engine()) as client:
            assert client.version()["Version"] == "26.1.5"


@pytest.mark.parametrize(("version", "api"), [("24.0.9", "1.43"), ("4.9.3", "1.41")])
def test_an_engine_that_is_too_old(tmp_path: Path, version: str, api: str) -> None:
    with (
        fake_engine(tmp_path, version, api) as where,
        pytest.raises(EngineUnavailable, match=f"it is {version}, and labctl needs 25 or newer"),
    ):
        connect(where)


def test_nothing_listens(tmp_path: Path) -> None:
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(dead))
    for path in (dead, tmp_path / "none.sock"):
        with pytest.raises(EngineUnavailable, match="does not run") as caught:
            connect(Endpoint("default", f"unix://{path}"))
        assert "DOCKER_HOST or the docker context" in caught.value.remedy


def test_nothing_answers_on_tcp() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        host = f"tcp://127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(EngineUnavailable, match="No Docker engine answers at"):
            connect(Endpoint("default", host))


def test_no_permission_on_the_socket() -> None:
    """Root may open any socket, so a root that tests becomes nobody for a moment."""
    # Not TMPDIR, which may be below a folder that nobody may enter.
    with tempfile.TemporaryDirectory(dir="/tmp") as folder, socket.socket(socket.AF_UNIX) as listener:
        Path(folder).chmod(0o755)
        path = Path(folder) / "engine.sock"
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)
        was = os.geteuid()
        if was == 0:
            os.seteuid(65534)
        try:
            with pytest.raises(EngineUnavailable, match="no permission on the Docker engine's socket") as caught:
                connect(Endpoint("default", f"unix://{path}"))
        finally:
            os.seteuid(was)
    assert "mode 0" in caught.value.evidence[0]
    assert "usermod -aG" in caught.value.remedy


def test_plugins_are_read_from_the_docker_command(docker_command: DockerCommand) -> None:
    docker_command(a_context(""), [{"Name": "compose", "Version": "v2.40.3-desktop.1"}])
    assert plugins() == Plugins(compose="v2.40.3-desktop.1", buildx="")
    docker_command(a_context(""), None)
    assert plugins() == Plugins(compose="", buildx="")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Plugins("", ""), "no compose and buildx plugin"),
        (Plugins("2.26.1", ""), "no buildx plugin"),
        (Plugins("2.19.9", "0.13"), "Docker Compose 2.19.9 is too old: labctl needs 2.20 or newer"),
        (Plugins("unknown", "0.13"), "Docker Compose unknown is too old"),
    ],
)
def test_plugins_that_will_not_do(found: Plugins, message: str) -> None:
    with pytest.raises(EngineUnavailable, match=message):
        check_plugins(found)


@pytest.mark.parametrize("version", ["2.20.0", "v2.26.1-4", "2.26", "5.0.1"])
def test_plugins_that_will_do(version: str) -> None:
    check_plugins(Plugins(version, "0.13.1"))
