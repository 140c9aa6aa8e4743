"""Shows a story that `labctl explain` tells: the cause on top, then everything in order of time; or as JSON."""

import json
import textwrap
from collections.abc import Iterator
from datetime import datetime

from rich.console import Console
from rich.text import Text

from labctl.service_logs import Entry
from labctl.story import Cause, Event, Story
from labctl.ui.printable import show

WIDTH = 240
"""Characters of a message that are shown; `--all` shows all of it."""

STYLES = {"WARNING": "yellow", "ERROR": "bold red", "CRITICAL": "bold red"}


def show_story(story: Story, console: Console, everything: bool = False) -> None:
    """Prints a story; its lines are never wrapped."""
    show(console, as_text(story, everything), end="")


def as_text(story: Story, everything: bool = False) -> Text:
    """A story for people.

    Args:
        story: What happened.
        everything: Whether what says nothing about the cause is shown, too, and tracebacks.
    """
    text = Text()
    text.append(f"{story.subject}\n", "bold")
    for line in story.record:
        text.append(f"  {line}\n")
    text.append("\n")
    if story.cause:
        _add_cause(text, story.cause)
    else:
        text.append("The logs have nothing that went wrong.\n\n")
    shown = [event for event in story.events if everything or not event.is_noise]
    width = max((len(event.entry.service) for event in shown), default=0)
    for event in shown:
        _add_event(text, event, width, everything, story.cause is not None and event is story.cause.event)
    for line in story.left_out:
        text.append(f"not looked at: {line}\n")
    text.append("".join(f"{line}\n" for line in _summary(story, len(story.events) - len(shown))))
    return text


def _add_cause(text: Text, cause: Cause) -> None:
    event = cause.event
    where = f"{event.entry.service} on {event.node}" if event.node else event.entry.service
    text.append("cause", "bold red")
    text.append(f"  {event.entry.text}\n", "bold")
    for exception in _exceptions(event.entry)[:1]:
        text.append(f"    {exception}\n")
    text.append(f"    logged by {where} at {_clock(event.entry.at)}\n")
    for line in cause.evidence:
        text.append(f"    {line}\n")
    if cause.why:
        text.append(f"  What it means: {cause.why}\n")
    text.append(f"  What to do: {cause.remedy}\n\n")


def _add_event(text: Text, event: Event, width: int, everything: bool, is_cause: bool) -> None:
    entry = event.entry
    text.append("> " if is_cause else "  ", "bold red")
    level = "" if entry.level == "INFO" else f"{entry.level} "
    text.append(f"{_clock(entry.at)}  {entry.service:{width}}  ")
    text.append(level, STYLES.get(entry.level, ""))
    text.append(entry.text if everything else textwrap.shorten(entry.text, WIDTH, placeholder=" ..."))
    if event.times > 1:
        text.append(f" ({event.times} times, until {_clock(event.until)})")
    text.append("\n")
    for line in entry.detail if everything else _exceptions(entry)[:1]:
        text.append(f"{'':{width + 18}}{line}\n")


def _exceptions(entry: Entry) -> tuple[str, ...]:
    """Those that the message does not tell already."""
    return tuple(one for one in entry.exceptions if one.partition(": ")[2].strip() not in entry.text)


def _summary(story: Story, hidden: int) -> Iterator[str]:
    services = len({event.entry.service for event in story.events})
    yield f"{len(story.events)} events of {services} services, {len(story.requests)} requests."
    if hidden:
        yield f"{hidden} that say nothing about the cause are left out; --all shows them, and tracebacks."


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"


def as_json(story: Story) -> str:
    """A story for programs, as one object; with everything."""
    cause = story.cause
    return json.dumps(
        {
            "subject": story.subject,
            "record": story.record,
            "requests": story.requests,
            "cause": cause
            and {
                **_as_object(cause.event),
                "why": cause.why,
                "remedy": cause.remedy,
                "evidence": cause.evidence,
            },
            "events": [_as_object(event) for event in story.events],
            "left_out": story.left_out,
        }
    )


def _as_object(event: Event) -> dict[str, object]:
    entry = event.entry
    return {
        "at": entry.at.isoformat(),
        "service": entry.service,
        "node": event.node,
        "level": entry.level,
        "logger": entry.logger,
        "requests": entry.requests,
        "text": entry.text,
        "detail": entry.detail,
        "times": event.times,
        "until": event.until.isoformat(),
        "noise": event.is_noise,
    }
