"""One JSON object a line for every event, for programs."""

import json
import re
import threading
from dataclasses import asdict
from typing import TextIO

from labctl.events import Event


def event_name(event: Event) -> str:
    """Returns the name of an event's kind: `step_started` for StepStarted."""
    return re.sub(r"(?<=.)(?=[A-Z])", "_", type(event).__name__).lower()


def to_json(event: Event) -> str:
    """Writes an event as one line: `event`, `at` (seconds since the epoch), then its own fields."""
    fields = asdict(event)
    return json.dumps({"event": event_name(event), "at": fields.pop("at"), **fields}, default=str)


class JsonListener:
    """Writes each event to a stream at once."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def __call__(self, event: Event) -> None:
        """Shows one event."""
        line = to_json(event)
        with self._lock:
            self._stream.write(line + "\n")
            self._stream.flush()
