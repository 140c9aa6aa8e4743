"""A browser for tests: Debian's Chromium without a window, driven by Selenium."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.expected_conditions import element_to_be_clickable, visibility_of_element_located
from selenium.webdriver.support.wait import WebDriverWait

from tests.lab.figures import artifacts

SECONDS = 300.0
"""Emulated guests and a browser share the processors."""
WINDOW = (1400, 1000)

PIXELS = """
const canvas = document.querySelector('canvas');
if (!canvas || !canvas.width || !canvas.height) return null;
const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
const colours = new Set();
let lit = '';
for (let i = 0; i < data.length; i += 4) {
  colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
  lit += data[i] + data[i + 1] + data[i + 2] > 96 ? '1' : '0';
}
return {width: canvas.width, height: canvas.height, colours: colours.size, lit: lit};
"""


@dataclass(frozen=True)
class Screen:
    """What noVNC has drawn.

    Attributes:
        width: In pixels.
        height: In pixels.
        colours: How many different ones there are.
        lit: `1` for each pixel that is not dark, else `0`; row by row.
    """

    width: int
    height: int
    colours: int
    lit: str

    def changed(self, other: "Screen") -> int:
        """How many pixels are lit in one of the two alone; all, where the sizes differ."""
        if (self.width, self.height) != (other.width, other.height):
            return max(len(self.lit), len(other.lit))
        return (int(self.lit, 2) ^ int(other.lit, 2)).bit_count()


class Browser:
    """The browser's one window, and what a person does with it."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def open(self, address: str) -> None:
        self.driver.get(address)

    def until(self, look: Callable[[], Any], what: str) -> Any:
        """Looks until the answer is true, and returns it; a picture of the window is the evidence if it never is."""
        try:
            return WebDriverWait(self.driver, SECONDS, ignored_exceptions=(WebDriverException,)).until(
                lambda _: look(), what
            )
        except WebDriverException:
            self.picture("browser-gave-up")
            raise

    def find(self, css: str) -> WebElement:
        """An element that can be seen."""
        return self.until(lambda: visibility_of_element_located((By.CSS_SELECTOR, css))(self.driver), css)

    def click(self, css: str) -> None:
        """Clicks an element as soon as nothing covers it."""
        self._click((By.CSS_SELECTOR, css))

    def click_text(self, css: str, text: str) -> None:
        """Clicks the element with a text, inside of one that a selector finds."""
        outside = self.find(css)
        self.until(lambda: _clicked(_with_text(outside, text)), f"{text!r} in {css}")

    def _click(self, place: tuple[str, str]) -> None:
        self.until(lambda: _clicked(element_to_be_clickable(place)(self.driver)), f"a click on {place[1]}")

    def fill(self, css: str, text: str) -> None:
        element = self.find(css)
        element.clear()
        element.send_keys(text)

    def scroll_to(self, css: str) -> None:
        """Has an element in the middle of the window."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", self.find(css))

    def type(self, *keys: str) -> None:
        """Types into whatever has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def erase(self, count: int) -> None:
        self.type(Keys.BACKSPACE * count)

    @contextmanager
    def inside(self, css: str) -> Iterator[None]:
        """Looks into a frame of the page."""
        self.driver.switch_to.frame(self.find(css))
        try:
            yield
        finally:
            self.driver.switch_to.default_content()

    def screen(self) -> Screen | None:
        """What noVNC shows in the page or frame that one looks at; None before it shows anything."""
        seen = self.driver.execute_script(PIXELS)
        return Screen(**seen) if seen else None

    def picture(self, name: str) -> Path:
        """Keeps a picture of the window."""
        path = artifacts() / f"{name}.png"
        assert self.driver.save_screenshot(str(path))
        return path


def _with_text(outside: WebElement, text: str) -> WebElement:
    return outside.find_element(By.XPATH, f".//*[normalize-space(text())='{text}']")


def _clicked(element: Any) -> bool:
    """Whether the click reached it: Selenium raises where something else is in the way."""
    if not element:
        return False
    element.click()
    return True


@contextmanager
def open_browser(profile: Path, trusted: str = "") -> Iterator[Browser]:
    """Starts Chromium, with a profile of its own, and ends it.

    CI has it; a person who has it not may still run the other tests.

    Args:
        profile: An empty folder.
        trusted: The SHA-256 of a public key, in Base64: whoever has it is believed, as no authority of a lab's is.
    """
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (chromium and driver):
        if os.environ.get("CI") == "true":
            pytest.fail("there is no chromium with chromedriver: `make browser` installs them")
        pytest.skip("there is no chromium with chromedriver (`make browser`)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in (
        "--headless=new",
        "--no-sandbox",  # which root may not use
        "--disable-dev-shm-usage",  # small in containers
        "--no-proxy-server",  # the lab's addresses exist on this machine only
        f"--window-size={WINDOW[0]},{WINDOW[1]}",
        f"--user-data-dir={profile}",
        *([f"--ignore-certificate-errors-spki-list={trusted}"] if trusted else []),
    ):
        options.add_argument(argument)
    # Else it leaves folders in the home of whoever runs the tests.
    elsewhere = {"XDG_CONFIG_HOME": str(profile), "XDG_CACHE_HOME": str(profile)}
    service = webdriver.ChromeService(executable_path=driver, env={**os.environ, **elsewhere})
    started = webdriver.Chrome(options=options, service=service)
    try:
        started.set_page_load_timeout(SECONDS)
        started.set_script_timeout(SECONDS)
        yield Browser(started)
    finally:
        started.quit()
