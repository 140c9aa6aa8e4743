"""A server's console, in a browser: the page that nova names is noVNC, and what is typed into it reaches the guest."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab.browser import Browser, Screen, open_browser
from tests.lab.conftest import Lab
from tests.lab.guests import Guests

WORDS = "typed-in-a-browser-window"
CURSOR = 160
"""Pixels that a blinking cursor may change: one character of 9 by 16."""
FEWEST = 10 * len(WORDS)
"""Pixels that so many characters light at least."""


@pytest.fixture(scope="module")
def browser(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("chromium"), lab.trusted_key) as opened:
        yield opened


def settled(browser: Browser, server: Any, guests: Guests) -> Screen:
    """The screen when the guest waits for a login, and nothing but the cursor moves between two looks."""
    seen: list[Screen] = []

    def look() -> Screen | None:
        console = guests.admin.compute.get_server_console_output(server.id, length=50)
        now = browser.screen()
        if now is None or "login:" not in str(console):
            return None
        seen.append(now)
        return now if len(seen) > 1 and now.changed(seen[-2]) <= CURSOR and "1" in now.lit else None

    return browser.until(look, "a screen with a login prompt, at rest")


def test_what_is_typed_into_the_console_reaches_the_guest(browser: Browser, guests: Guests) -> None:
    server, _ = guests.boot("console", "node1")
    page = guests.admin.compute.create_console(server.id, console_type="novnc")
    browser.open(page["url"])
    before = settled(browser, server, guests)
    assert before.colours > 1

    browser.click("canvas")
    browser.type(WORDS)
    typed = browser.until(lambda: _if(browser.screen(), lambda now: now.changed(before) > FEWEST), "what was typed")
    browser.picture("console-page")
    after = browser.until(lambda: erased(browser, before), "what was erased")
    assert typed.changed(after) > FEWEST - CURSOR
    guests.delete(server)


def erased(browser: Browser, before: Screen) -> Screen | None:
    """Erases at each look: QEMU's keyboard has room for 16 bytes, and drops what a slow guest has not read by then."""
    browser.erase(len(WORDS))
    return _if(browser.screen(), lambda now: now.changed(before) <= CURSOR)


def _if(screen: Screen | None, holds: Any) -> Screen | None:
    return screen if screen and holds(screen) else None
