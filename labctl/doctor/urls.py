"""Hosts of URLs that somebody wrote."""

from urllib.parse import urlsplit


def host_of_url(text: str) -> str:
    """The host of a URL; empty where there is none, or where it is none."""
    try:
        return urlsplit(text).hostname or ""
    except ValueError:
        return ""
