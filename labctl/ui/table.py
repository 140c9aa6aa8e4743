"""Plain tables: columns side by side, without lines, for people and for awk."""

from collections.abc import Sequence


def table(rows: Sequence[Sequence[str]]) -> str:
    """Puts cells into columns.

    Args:
        rows: The headings, and the rows; all of one length.

    Returns:
        The lines, without blanks at their ends.
    """
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
