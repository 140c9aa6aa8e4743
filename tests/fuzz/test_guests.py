"""Addresses of guest images that anybody may have given, and what comes from there. Nothing leaves the test."""

from pathlib import Path

import httpx
import pytest
from hypothesis import strategies as st

from labctl.build import guest
from labctl.build.guest import other_guest
from labctl.errors import BadInput
from tests.fuzz.making import NASTY, check_told, fuzz, texts

SHA256 = "0" * 64
WORDS = ("https", "http", "://", "/", "?", "#", "@", ":", "[", "]", "example.org", "::1", "127.0.0.1", "%2e", "8080")
PARTS = st.lists(st.sampled_from([*NASTY, *WORDS]), max_size=10).map("".join)
ENDS = st.one_of(texts(), PARTS)
ADDRESSES = st.one_of(ENDS, ENDS.map(lambda text: f"https://{text}"), ENDS.map(lambda text: f"https://x/{text}"))


@fuzz(
    16,
    address=ADDRESSES,
    status=st.sampled_from([200, 204, 301, 302, 308, 404, 500]),
    location=ADDRESSES,
    body=st.binary(max_size=64),
    sha256=st.sampled_from([None, SHA256]),
)
def test_addresses(tmp_path: Path, address: str, status: int, location: str, body: bytes, sha256: str | None) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        headers = [(b"location", location.encode(errors="replace"))] if 300 <= status < 400 else []
        return httpx.Response(status, headers=headers, content=body)

    with pytest.MonkeyPatch.context() as patch:
        made = httpx.Client
        patch.setattr(guest.httpx, "Client", lambda **options: made(transport=httpx.MockTransport(answer), **options))
        cache = tmp_path / "cache"
        try:
            found = other_guest(address, "x", sha256, cache, lambda _: None)
        except BadInput as error:
            check_told(error)
            return
        assert found.path.is_relative_to(cache) or found.path.is_file()
        assert ".." not in found.path.relative_to(cache).parts
        found.path.unlink()
