"""What a fault does, as data that can be shown and kept: steps that break something, and steps that mend it."""

import json
import shlex
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from labctl.errors import BadInput
from labctl.lab.addresses import Node


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Command(_Model):
    """A program that is run.

    Attributes:
        argv: The program and its arguments.
        already: What it says where there is nothing left to do; that is no failure.
    """

    argv: tuple[str, ...]
    already: str = ""

    def __str__(self) -> str:
        """As a person would type it."""
        return shlex.join(self.argv)


class Request(_Model):
    """A request to one of the cloud's APIs, as its admin.

    Attributes:
        service: Whose API, as openstacksdk calls it: identity, compute, image, network.
        method: Of HTTP.
        path: Below the API's version.
        body: What is sent, as JSON.
        data: What is sent as it is, in place of a body.
        content_type: What it is called then.
        makes: What it makes, which is the key of the answer: later steps may name its id, `{server}`. An answer without
            that key is the thing itself.
        microversion: Which version of the API is asked.
    """

    service: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    data: str = ""
    content_type: str = ""
    makes: str = ""
    microversion: str = ""

    def __str__(self) -> str:
        """Method, path and body."""
        sent = json.dumps(self.body) if self.body is not None else self.data
        return " ".join(filter(None, (self.service, self.method, self.path, sent)))


Step = Command | Request


class Change(_Model):
    """A fault in one place of one lab.

    Attributes:
        inject: What breaks it. May name what is known by the time, `{server}`.
        clear: What mends it: in whatever state things are, as often as one likes.
    """

    inject: tuple[Step, ...]
    clear: tuple[Step, ...]


def filled(step: Step, known: Mapping[str, str]) -> Step:
    """A step with the names in braces replaced by what is known."""

    def fill(value: Any) -> Any:
        match value:
            case str():
                for name, meaning in known.items():
                    value = value.replace(f"{{{name}}}", meaning)
                return value
            case dict():
                return {key: fill(one) for key, one in value.items()}
            case list() | tuple():
                return type(value)(fill(one) for one in value)
        return value

    return step.model_validate(fill(step.model_dump()))


def needs(step: Step, names: Mapping[str, object] | set[str]) -> set[str]:
    """Which of these names a step has in braces."""
    text = str(step)
    return {name for name in names if f"{{{name}}}" in text}


def check_node(name: str, nodes: tuple[Node, ...]) -> Node:
    """The node of that name.

    Raises:
        BadInput: The lab has none.
    """
    for node in nodes:
        if node.name == name:
            return node
    raise BadInput(f"The lab has no node {name!r}.", evidence=[f"nodes: {', '.join(node.name for node in nodes)}"])
