"""A registry's image is asked for its digest and fetched by it; the registry is one of the test's own, on loopback."""

import gzip
import hashlib
import io
import json
import tarfile
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from labctl.engine.images import fetch_image, registry_digest, see_image
from tests.lab.commands import docker

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Registry:
    """One repository `debian` with a tag that can be moved (Docker Registry HTTP API V2)."""

    address: str = ""
    blobs: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def push(self, tag: str, content: str) -> str:
        """An image of one layer with one file; returns its digest."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            entry = tarfile.TarInfo("content")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
        layer = gzip.compress(packed.getvalue(), mtime=0)
        rootfs = {"type": "layers", "diff_ids": [digest_of(packed.getvalue())]}
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}).encode()
        manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "config": {"mediaType": CONFIG, "size": len(config), "digest": digest_of(config)},
                "layers": [{"mediaType": LAYER, "size": len(layer), "digest": digest_of(layer)}],
            }
        ).encode()
        self.blobs.update({digest_of(each): each for each in (layer, config, manifest)})
        self.tags[tag] = digest_of(manifest)
        return self.tags[tag]

    def find(self, path: str) -> tuple[str, bytes] | None:
        *_, kind, name = path.strip("/").split("/") if path.count("/") > 3 else ("", "", "")
        name = self.tags.get(name, name)
        content = self.blobs.get(name)
        if content is None:
            return None
        return (MANIFEST if kind == "manifests" else "application/octet-stream"), content


@pytest.fixture
def registry() -> Iterator[Registry]:
    registry = Registry()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = registry.find(self.path)
            self.send_response(200 if known or self.path == "/v2/" else 404)
            kind, content = known or ("application/json", b"{}")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Docker-Content-Digest", digest_of(content))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 - http.server's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    registry.address = f"127.0.0.1:{server.server_port}"
    yield registry
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def own_name(registry: Registry) -> Iterator[str]:
    name = f"labctl-test/rootfs:{uuid.uuid4().hex[:12]}"
    yield name
    made = docker("image", "ls", "--quiet", "--no-trunc", f"{registry.address}/debian").split()
    docker("image", "rm", "--force", name, *made)


def test_what_is_fetched_is_the_image_that_was_asked_about_though_its_tag_moves(
    registry: Registry, own_name: str
) -> None:
    first = registry.push("bookworm-slim", "first")
    source = f"{registry.address}/debian"
    assert registry_digest(f"{source}:bookworm-slim") == first
    second = registry.push("bookworm-slim", "second")
    fetch_image(f"{source}@{first}", own_name)
    seen = see_image(own_name)
    assert seen is not None
    assert seen.digests == (f"{source}@{first}",)
    assert registry_digest(f"{source}:bookworm-slim") == second != first


def test_a_registry_without_the_image_and_none_at_all_have_no_digest(registry: Registry) -> None:
    assert registry_digest(f"{registry.address}/debian:trixie-slim") is None
    assert registry_digest("127.0.0.1:1/debian:bookworm-slim") is None
