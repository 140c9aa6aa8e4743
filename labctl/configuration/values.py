"""Whether a value is what an option takes: asked of oslo.config's own types, so the answer is the service's."""

from collections.abc import Callable, Sequence

from labctl.configuration.options import Option, ValueType
from labctl.lab.names import nearest

MOST_CHOICES = 12
LONGEST = 200
"""Characters of a value that are shown."""


def why_not(options: tuple[Option, ...], value: str) -> str | None:
    """Says why a value is none that an option takes.

    Args:
        options: The option, as often as it is registered: what one of them takes is right.
        value: The value.

    Returns:
        The reason, without the value where that is secret; None where it is right, or cannot be told: `$name` stands
        for the value of another option.
    """
    if "$" in value:
        return None
    reasons = [reason for option in options if (reason := _why_not(option, value)) is not None]
    return reasons[0] if len(reasons) == len(options) else None


def _why_not(option: Option, value: str) -> str | None:
    if not option.type.name:
        return None
    try:
        oslo_type(option.type)(value)
    except (ValueError, TypeError) as error:
        if option.secret:
            return f"this is no {option.type_name}"
        choices = allowed_values(option.type)
        if not choices:
            return f"'{cut(value)}' is no {option.type_name}: {cut(str(error))}"
        return not_among(value, choices)
    return None


def not_among(value: str, choices: Sequence[str]) -> str:
    """Says that a value is none of those that are allowed, and which is the nearest."""
    shown = ", ".join(choices[:MOST_CHOICES]) + (", ..." if len(choices) > MOST_CHOICES else "")
    near = nearest(value, choices) if len(value) <= LONGEST else ""
    return "; ".join(filter(None, (f"'{cut(value)}' is not allowed", near, f"allowed: {shown}")))


def cut(value: str) -> str:
    """A value as it is shown: of a long one its beginning."""
    return value if len(value) <= LONGEST else f"{value[:LONGEST]}..."


def oslo_type(described: ValueType) -> Callable[[str], object]:
    """The type of oslo.config that was described; what only the service knows takes everything."""
    if not described.name:
        return str
    # Every `up` gets here in principle, and few have drop-ins: no tenth of a second of importing for the others.
    from oslo_config import types

    arguments = dict(described.arguments)
    if described.inner and described.name == "List":
        arguments["item_type"] = oslo_type(described.inner)
    if described.inner and described.name == "Dict":
        arguments["value_type"] = oslo_type(described.inner)
    made: Callable[[str], object] = getattr(types, described.name)(**arguments)
    return made


def allowed_values(described: ValueType) -> list[str]:
    """The values that a type, or the type of its items, is limited to."""
    choices = described.arguments.get("choices")
    if isinstance(choices, list | tuple):
        return [str(choice) for choice in choices if choice is not None]
    return allowed_values(described.inner) if described.inner else []
