"""What cases are made of: how many there are, texts and trees that are nearly right, and files that were changed."""

import io
from collections.abc import Callable, Sequence
from functools import wraps
from time import process_time
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from labctl.errors import BadInput
from labctl.ui.errors import show_error
from tests.fuzz.conftest import CASES

NASTY = (
    *("", " ", "..", "../x", "/", "a/b", "\0", "\x1b[2J", "\ud800", "\u202e", "\U0001f600", "x" * 300, "x" * 5000),
    *("-1", "0", "9" * 5000, "1e999", ".nan", ".inf", "0x", "0b2", "1:2:3", "2001-13-45", "0001-01-01T00:00:00+23:59"),
    *("http://", "http://[::1", "https://x:y/", "//", "://", "[", "]", "{", "}", "{a: ", "<<: *x", "*x", "&x", "---"),
    *("!!float x", "!!timestamp x", "!!python/object:os.system x", "...", "%YAML 9.9", "$(id)", "'; --", "null", "~"),
)
"""Texts that something went wrong with before, here or elsewhere."""


LONGEST = 5.0
"""Seconds of the processor that a case may take."""


def fuzz(percent: int, **values: st.SearchStrategy[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A test of so many of a hundred cases, each of some values; one that takes too long fails."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @wraps(test)
        def timed(*args: Any, **options: Any) -> None:
            begin = process_time()
            test(*args, **options)
            assert process_time() - begin < LONGEST

        chosen = settings(settings.get_profile("labctl"), max_examples=max(1, CASES * percent // 100))
        return chosen(given(**values)(timed))

    return decorate


def check_told(error: BadInput) -> None:
    """Checks that a refusal says why, and can be shown."""
    stream = io.StringIO()
    show_error(error, Console(file=stream))
    assert error.evidence or error.remedy
    assert "\x1b" not in stream.getvalue()


def texts() -> st.SearchStrategy[str]:
    """Any text."""
    return st.one_of(st.sampled_from(NASTY), st.text(st.characters(), max_size=40))


def scalars(*more: object) -> st.SearchStrategy[Any]:
    """Any value of YAML or JSON that is one."""
    numbers = st.one_of(st.integers(), st.floats(), st.booleans(), st.none())
    return st.one_of(texts(), numbers, st.dates(), st.datetimes(), st.sampled_from(more) if more else st.none())


def trees(keys: Sequence[str], *more: object) -> st.SearchStrategy[Any]:
    """Any tree of mappings and lists, with these keys among others."""
    names = st.one_of(st.sampled_from(keys), texts())
    return st.recursive(
        scalars(*more),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
        max_leaves=12,
    )


@st.composite
def changed(draw: st.DrawFn, seeds: Sequence[bytes]) -> bytes:
    """Content that is right, with some of it cut out, doubled, or replaced."""
    content = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, len(content)))
        end = min(len(content), begin + draw(st.sampled_from([0, 0, 1, 2, 8, 40, 600])))
        put = draw(
            st.one_of(
                st.binary(max_size=8),
                st.sampled_from(NASTY).map(lambda text: text.encode(errors="surrogatepass")),
                st.just(content[begin:end] * 3),
            )
        )
        content = content[:begin] + put + content[end:]
    return content


def as_yaml(value: object) -> bytes:
    """A tree as YAML, also where it holds what YAML has no way to write."""
    try:
        return yaml.safe_dump(value, allow_unicode=True).encode(errors="surrogatepass")
    except (yaml.YAMLError, ValueError):
        return repr(value).encode(errors="surrogatepass")


def yaml_files(keys: Sequence[str], seeds: Sequence[bytes], *more: object) -> st.SearchStrategy[bytes]:
    """Files that are nearly right, any trees, and anything."""
    top = st.dictionaries(st.sampled_from(keys), trees(keys, *more), max_size=6).map(as_yaml)
    pieces = st.lists(st.sampled_from([*NASTY, *keys, ": ", "- ", "\n", "\n  ", ", ", "*a", "&a "]), max_size=60)
    joined = pieces.map(lambda parts: "".join(parts).encode(errors="surrogatepass"))
    return st.one_of(changed(seeds), top, joined, st.binary(max_size=200))
