"""Reads a YAML data file of the catalog into a pydantic model; an error names the file and the line."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from labctl.errors import BadInput
from labctl.yaml_input import LOADER, load_own_yaml

Model = TypeVar("Model", bound=BaseModel)


def read_yaml_model(path: Path, model: type[Model]) -> Model:
    """Reads and checks one file.

    Raises:
        BadInput: The file is not YAML, or does not fit the model; each finding with file and line.
    """
    text = path.read_text()
    try:
        data = load_own_yaml(text)
        node = yaml.compose(text, Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise BadInput(f"{path.name} is not YAML.", evidence=[f"{where}: {error.problem}"]) from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [
            f"{path}:{line_of(node, finding['loc'])}: {'.'.join(map(str, finding['loc']))}: {finding['msg']}"
            for finding in error.errors()
        ]
        raise BadInput(f"{path} does not fit its schema.", evidence=lines) from None


def line_of(node: yaml.Node | None, location: tuple[int | str, ...]) -> int:
    """The line (from 1) of a place in a YAML tree, or of the nearest place above it that is there."""
    line = node.start_mark.line + 1 if node else 1
    for key in location:
        if isinstance(node, yaml.MappingNode):
            found = next(((name, value) for name, value in node.value if name.value == str(key)), None)
            if found is None:
                break
            name, node = found
            line = name.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
            node = node.value[key]
            line = node.start_mark.line + 1
        else:
            break
    return line
