"""A text Gantt chart of what was done, and the critical path through it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_EIGHTHS = " ▏▎▍▌▋▊▉"
_NARROWEST_BAR = 10


@dataclass(frozen=True)
class Span:
    """Something that took time.

    Attributes:
        name: Its name; unique in a timeline.
        start: When it began, in seconds from any fixed moment.
        end: When it ended; not before `start`.
        depends_on: The names of what it waited for; names that are not in the timeline do not count.
    """

    name: str
    start: float
    end: float
    depends_on: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.end - self.start


def critical_path(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Finds what the end had to wait for: from the last to end, back through the last to end of what each waited for.

    Args:
        spans: What was done.

    Returns:
        The chain, the first to begin first; empty where there are no spans.
    """
    by_name = {span.name: span for span in spans}
    chain: list[Span] = []
    waiting = list(by_name.values())
    while waiting:
        last = max(waiting, key=lambda span: (span.end, span.start, span.name))
        chain.append(last)
        # A name that is in the chain already would be a circle: the data is wrong, the chart need not hang.
        waiting = [by_name[name] for name in last.depends_on if name in by_name and by_name[name] not in chain]
    return tuple(reversed(chain))


def draw_timeline(spans: Sequence[Span], width: int = 80, *, ascii_only: bool = False) -> str:
    """Draws the chart: a line a span in the order of their start, those on the critical path marked with `*`.

    Args:
        spans: What was done.
        width: Columns, at most; more where that leaves no room for bars.
        ascii_only: Draw with characters that every terminal has.

    Returns:
        The lines, the last one the critical path; empty where there are no spans.
    """
    if not spans:
        return ""
    begin = min(span.start for span in spans)
    total = max(span.end for span in spans) - begin
    path = critical_path(spans)
    name_width = max(len(span.name) for span in spans)
    ordered = sorted(spans, key=lambda span: (span.start, span.end, span.name))
    labels = [
        f"{'*' if span in path else ' '} {span.name:<{name_width}} {span.start - begin:6.1f} {span.seconds:6.1f} s "
        for span in ordered
    ]
    bar_width = max(_NARROWEST_BAR, width - len(labels[0]))
    scale = bar_width / total if total > 0 else 0.0
    lines = [
        label + _bar((span.start - begin) * scale, (span.end - begin) * scale, ascii_only=ascii_only)
        for label, span in zip(labels, ordered, strict=True)
    ]
    return "\n".join([*lines, f"critical path, {total:.1f} s: {_chain(path, begin)}"])


def _chain(path: Sequence[Span], begin: float) -> str:
    """Writes `a 3.2 s > (0.4 s) > b 2.0 s`: names with their time, and the time in which none of them ran."""
    parts: list[str] = []
    ready = begin
    for span in path:
        idle = span.start - ready
        if idle >= 0.05:
            parts.append(f"({idle:.1f} s)")
        # A dependency may still run when this one begins: only what it adds to the chain counts.
        parts.append(f"{span.name} {max(0.0, span.end - max(ready, span.start)):.1f} s")
        ready = span.end
    return " > ".join(parts)


def _bar(left: float, right: float, *, ascii_only: bool) -> str:
    """Draws a bar between two columns; in eighths of a column where the terminal can, and never quite invisible."""
    start = int(left)
    if ascii_only:
        return " " * start + "#" * max(1, round(right) - start)
    full, part = divmod(round((right - start) * 8), 8)
    bar = "█" * full + (_EIGHTHS[part] if part else "")
    return " " * start + (bar or "▏")
