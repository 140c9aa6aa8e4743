"""Reads what `openstack endpoint list` prints: its table, also with lines that were broken, or `-f json`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from labctl.doctor.configuration.facts import Endpoint
from labctl.errors import BadInput
from labctl.files import read_regular
from labctl.findings import Place

MOST_BYTES = 1 << 20
MOST_ENDPOINTS = 2000
"""A cloud has some thirty in each region."""

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
        text = read_regular(path, MOST_BYTES).decode()
        rows = _json_rows(text) if path.suffix == ".json" else tuple(_table_rows(text))
        if len(rows) > MOST_ENDPOINTS:
            raise ValueError(f"more than {MOST_ENDPOINTS} endpoints")
        return tuple(_endpoint(row, Place(name, line)) for line, row in rows)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(
            f"{path} is not what `openstack endpoint list` prints.",
            evidence=[f"{type(error).__name__}: {str(error)[:200]}"],
            remedy="Write it with `openstack endpoint list > endpoints.txt`, or `-f json > endpoints.json`.",
        ) from error


def _endpoint(row: Mapping[str, object], place: Place) -> Endpoint:
    region = _text(row.get("Region") or "")
    return Endpoint(_text(row["Service Type"]), _text(row["Interface"]), region, _text(row["URL"]), place)


def _text(cell: object) -> str:
    if not isinstance(cell, str):
        raise TypeError("a cell is no text")
    return cell


def _json_rows(text: str) -> tuple[tuple[int, Mapping[str, object]], ...]:
    """The entries, and the lines on which their URLs are."""
    found = []
    line, after = 1, 0
    for row in json.loads(text)[: MOST_ENDPOINTS + 1]:
        url = json.dumps(row["URL"])
        at = text.find(url, after)
        if at >= 0:
            line += text.count("\n", after, at)
            after = at + 1
        found.append((line, row))
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
