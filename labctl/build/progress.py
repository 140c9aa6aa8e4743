"""What BuildKit reports (`--progress rawjson`), followed as images and their steps.

The fields are those of buildkit/client/graph.go: SolveStatus with vertexes and logs.
"""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from labctl.events import Emit, ServiceChanged

LOG_LINES = 25
"""How many last lines of a failed step are shown."""


@dataclass
class BuildStep:
    """One step of a Dockerfile, as BuildKit sees it: a vertex."""

    image: str
    name: str
    error: str = ""
    log: list[str] = field(default_factory=list)


class JsonStream:
    """Cuts a stream of JSON values, on one line or many, into values."""

    def __init__(self) -> None:
        self._text = ""
        self._decoder = json.JSONDecoder()

    @property
    def is_inside(self) -> bool:
        """Whether a value has begun and not ended."""
        return bool(self._text)

    def feed(self, line: str) -> Iterator[Any]:
        """Takes one more line; yields the values that are complete."""
        # A value is complete at the closing brace of the first column, or of the line where it is on one line.
        self._text += line + "\n"
        if not line.startswith("}") and not (line.startswith("{") and line.endswith("}")):
            return
        try:
            value, end = self._decoder.raw_decode(self._text.lstrip())
        except ValueError:
            return
        self._text = self._text.lstrip()[end:].lstrip()
        yield value


class BakeProgress:
    """Follows a bake: emits which image is at which step, and keeps the log of each step for the case of failure.

    Args:
        emit: The listener.
    """

    def __init__(self, emit: Emit) -> None:
        self._emit = emit
        self._stream = JsonStream()
        self._steps: dict[str, BuildStep] = {}
        self._told: dict[str, ServiceChanged] = {}
        self.other_output: list[str] = []

    def line(self, line: str) -> None:
        """Takes one line of buildx' output."""
        if not self._stream.is_inside and not line.startswith("{"):
            self.other_output.append(line)
            return
        for status in self._stream.feed(line):
            for vertex in status.get("vertexes") or []:
                self._vertex(vertex)
            for log in status.get("logs") or []:
                self._log(log)

    @property
    def failed(self) -> tuple[BuildStep, ...]:
        """The steps that failed of themselves, not because another one was canceled."""
        return tuple(step for step in self._steps.values() if step.error and "context canceled" not in step.error)

    def _vertex(self, vertex: dict[str, Any]) -> None:
        image, name = split_name(vertex.get("name", ""))
        step = self._steps.setdefault(vertex["digest"], BuildStep(image, name))
        if vertex.get("error"):
            step.error = vertex["error"]
            self._tell(step.image, "failed", step.name)
        elif vertex.get("completed"):
            if step.image and name.startswith("exporting"):
                self._tell(step.image, "done")
        elif (
            vertex.get("started")
            and not vertex.get("cached")
            and step.image
            and not name.startswith(("load ", "internal"))
        ):
            self._tell(step.image, "building", step.name)

    def _tell(self, image: str, state: str, detail: str = "") -> None:
        # Each image that shares a step reports it: once is enough.
        before = self._told.get(image)
        if before is None or (before.state, before.detail) != (state, detail):
            self._told[image] = ServiceChanged(image, state, detail)
            self._emit(self._told[image])

    def _log(self, log: dict[str, Any]) -> None:
        step = self._steps.get(log["vertex"])
        if step:
            step.log += base64.b64decode(log.get("data") or log.get("msg") or "").decode(errors="replace").splitlines()
            del step.log[:-LOG_LINES]


def split_name(name: str) -> tuple[str, str]:
    """The image and the step in a vertex' name: `[keystone python 3/4] RUN ...` or `[keystone] exporting ...`."""
    found = re.match(r"\[([\w.-]+)([^\]]*)\]\s*(.*)", name, re.DOTALL)
    if not found or found.group(1) == "internal":
        return "", name
    image, stage, rest = found.groups()
    words = [word for word in f"{stage.strip()} {rest}".split() if not word.startswith("--mount=")]
    return image, " ".join(words)
