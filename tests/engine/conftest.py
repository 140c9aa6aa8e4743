"""Tests against a Docker engine, without a lab."""

import pytest


@pytest.fixture(autouse=True)
def _engine(engine: None) -> None:
    """All of these need one."""
