"""Times as OpenStack's APIs write them."""

from datetime import UTC, datetime


def read_time(text: str) -> datetime:
    """Reads a time of an API: all are UTC, and say so or not."""
    return datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
