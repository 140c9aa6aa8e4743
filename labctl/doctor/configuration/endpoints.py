"""Reads what `openstack endpoint list` prints: its table, also with lines that were broken, or `-f json`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from labctl.doctor.configuration.facts import Endpoint
from labctl.errors import BadInput
from labctl.findings import Place

ENDPOINT_FILES = ("endpoints.txt", "endpoints.json")


def read_endpoints(path: Path, root: Path) -> tuple[Endpoint, ...]:
    """Reads a file of endpoints.

    Args:
        path: The file.
        root: The folder that its name is given relative to.

    Raises:
        BadInput: It is not what `openstack endpoint list` prints.
    """
    name = str(path.relative_to(root))
    try:
        text = path.read_text()
        rows = _json_rows(text) if path.suffix == ".json" else tuple(_table_rows(text))
        return tuple(
            Endpoint(row["Service Type"], row["Interface"], row.get("Region", ""), row["URL"], Place(name, line))
            for line, row in rows
        )
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise BadInput(
            f"{path} is not what `openstack endpoint list` prints.",
            evidence=[f"{type(error).__name__}: {error}"],
            remedy="Write it with `openstack endpoint list > endpoints.txt`, or `-f json > endpoints.json`.",
        ) from error


def _json_rows(text: str) -> tuple[tuple[int, Mapping[str, str]], ...]:
    """The entries, and the lines on which their URLs are."""
    lines = text.splitlines()
    found = []
    begin = 0
    for row in json.loads(text):
        url = json.dumps(row["URL"])
        at = next((index for index, line in enumerate(lines) if index >= begin and url in line), begin)
        begin = at + 1 if len(lines) > 1 else 0
        found.append((at + 1, row))
    return tuple(found)


def _table_rows(text: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows of a table; cells that are too long go on in the next line, which does not say "Enabled"."""
    headings: list[str] = []
    row: dict[str, str] = {}
    begin = 0
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip().startswith("|"):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not headings:
            headings = cells
            continue
        read = dict(zip(headings, cells, strict=True))
        if read["Enabled"]:
            if row:
                yield begin, row
            row, begin = read, number
        else:
            row = {heading: row[heading] + read[heading] for heading in headings}
    if row:
        yield begin, row
