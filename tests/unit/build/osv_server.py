"""A database of vulnerabilities on this machine, with the interface of OSV."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Key = tuple[str, str, str]
"""Ecosystem, package, version."""


def advisory(ecosystem: str, name: str, ident: str, fixed: str = "", **more: object) -> dict[str, object]:
    events = [{"introduced": "0"}, *([{"fixed": fixed}] if fixed else [])]
    affected = [
        {"package": {"name": name, "ecosystem": ecosystem}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    ]
    return {"id": ident, "summary": f"about {ident}", "affected": affected, **more}


KNOWN: dict[Key, list[dict[str, object]]] = {
    ("PyPI", "jinja2", "2.4.1"): [advisory("PyPI", "jinja2", "PYSEC-2019-220", "2.8.1")],
    ("Debian:12", "bash", "4.2-1"): [advisory("Debian:12", "bash", "DEBIAN-CVE-2014-6271", "4.3-9.1")],
}
"""What everybody knows."""


@dataclass
class Database:
    known: dict[Key, list[dict[str, object]]] = field(default_factory=lambda: dict(KNOWN))
    page: int = 100
    """How many advisories are in one answer."""
    answer: bytes | None = None
    """What is said instead."""
    status: int = 200
    asked: list[Key] = field(default_factory=list)
    address: str = ""

    def reply(self, question: dict[str, object]) -> bytes:
        package = question["package"]
        assert isinstance(package, dict)
        key = (package["ecosystem"], package["name"], str(question["version"]))
        self.asked.append(key)
        if self.answer is not None:
            return self.answer
        found, start = self.known.get(key, []), int(str(question.get("page_token", 0)))
        more = {"next_page_token": str(start + self.page)} if start + self.page < len(found) else {}
        return json.dumps({"vulns": found[start : start + self.page], **more} if found else {}).encode()


@contextmanager
def served(database: Database) -> Iterator[Database]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = database.reply(question)
            self.send_response(database.status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        database.address = f"http://127.0.0.1:{server.server_port}/v1/query"
        yield database
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
