"""What a lab logged while servers failed; of tracebacks the middle is left out, and of long lines the end."""

from datetime import datetime
from pathlib import Path

from labctl.service_logs import LoggedLine

RECORDED = Path(__file__).parent / "recorded"

NODES = {"node1-nova-compute": "node1", "node2-nova-compute": "node2", "node1-libvirt": "node1"}


def lines(name: str) -> list[LoggedLine]:
    """The lines of one recording, service by service."""
    found = []
    for row in (RECORDED / f"{name}.log").read_text().splitlines():
        service, at, text = (*row.split(" ", 2), "")[:3]
        found.append(LoggedLine(service, datetime.fromisoformat(at), text))
    return found
