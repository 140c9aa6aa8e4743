"""What the broker answers, as erl_call(1) writes it."""

import pytest

from labctl.engine import broker

ANSWER = "{ok, [[{configure, #Bin<46,42>}, {write, #Bin<94,97>}, {read, #Bin<>}]]}"


def test_rights_are_patterns_that_erl_call_writes_as_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_evaluate", lambda container, expression: ANSWER)
    assert broker.broker_permissions("lab-rabbitmq", "openstack") == {"configure": ".*", "write": "^a", "read": ""}


def test_a_user_that_is_not_there_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "_evaluate", lambda container, expression: "{ok, []}")
    assert broker.broker_permissions("lab-rabbitmq", "nobody") == {}
