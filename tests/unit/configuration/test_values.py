"""Values of types that oslo.config does not know."""

import pytest

from labctl.configuration.options import Option, ValueType
from labctl.configuration.values import why_not

OF_THE_SERVICE = ValueType("")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (OF_THE_SERVICE, "anything"),
        (ValueType("List", {}, OF_THE_SERVICE), "CAP_CHOWN, CAP_FOWNER"),
        (ValueType("List", {}, OF_THE_SERVICE), ""),
        (ValueType("Dict", {}, OF_THE_SERVICE), "one:CAP_CHOWN"),
    ],
)
def test_what_only_the_service_knows_is_not_judged(kind: ValueType, value: str) -> None:
    assert why_not((Option("privsep", "capabilities", kind, "list value"),), value) is None


def test_what_holds_it_is_judged() -> None:
    kind = ValueType("Dict", {}, OF_THE_SERVICE)
    assert why_not((Option("privsep", "capabilities", kind, "dict value"),), "no pair")
