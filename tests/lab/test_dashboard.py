"""The profile horizon: a person logs in, launches a server, looks at its console and at the network."""

from collections.abc import Iterator

import pytest
from openstack.connection import Connection
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from labctl.cloud.connection import connect
from tests.lab.browser import Browser, Screen, open_browser
from tests.lab.commands import labctl
from tests.lab.conftest import Lab
from tests.lab.figures import measured
from tests.lab.guests import PREFIX, Guests
from tests.lab.machine import probe

SERVER = "web-1"
LIMIT_GB = 0.15


@pytest.fixture(scope="module")
def dashboard(lab: Lab) -> Iterator[str]:
    """The address of the dashboard, of a lab that gets one and loses it again."""
    before = lab.containers()
    ran = labctl("up", "--name", lab.name, "--with", "horizon", "--progress", "plain", timeout=600)
    assert ran.code == 0, str(ran)
    there = lab.containers()
    assert set(there) - set(before) == {"horizon"}
    changed = {name for name, one in before.items() if there[name]["Id"] != one["Id"]}
    assert changed == {"filter"}, "another service was made anew than the one that opens its port"
    yield there["horizon"]["Config"]["Labels"]["org.labctl.page"]
    ran = labctl("up", "--name", lab.name, "--without", "horizon", "--progress", "plain", timeout=600)
    assert ran.code == 0, str(ran)
    assert set(lab.containers()) == set(before)


@pytest.fixture(scope="module")
def demo(lab: Lab) -> Iterator[Connection]:
    """The cloud, as the user demo."""
    connection = connect(lab.state.clouds_yaml, lab.name)
    yield connection
    connection.session.session.close()
    connection.close()


@pytest.fixture(scope="module")
def guests(admin: Connection, demo: Connection, lab: Lab) -> Iterator[Guests]:
    """An image, a network and a router of the user demo's."""
    made = Guests(admin, owner=demo)
    try:
        made.prepare()
        made.reach_from_host(lab.plan)
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def browser(dashboard: str, lab: Lab, demo: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser in which the user demo is logged in."""
    with open_browser(tmp_path_factory.mktemp("chromium"), lab.trusted_key) as opened:
        opened.open(dashboard)
        opened.fill("#id_username", "demo")
        opened.fill("#id_password", demo.config.auth["password"])
        opened.click("#loginBtn")
        opened.find(".context-project")
        yield opened


def test_status_says_where_it_is(dashboard: str, lab: Lab) -> None:
    ran = labctl("status", "--name", lab.name)
    assert ran.code == 0, str(ran)
    assert any(line.split()[0] == "horizon" and line.endswith(dashboard) for line in ran.out.splitlines()[1:-1])


def test_a_server_is_launched_with_the_wizard(
    dashboard: str, browser: Browser, guests: Guests, demo: Connection
) -> None:
    browser.open(f"{dashboard}project/instances/")
    browser.click("#instances__action_launch-ng")
    browser.fill("input[name='name']", SERVER)
    for step, choice in (("Source", PREFIX), ("Flavor", guests.flavors[0].name), ("Networks", PREFIX)):
        browser.click_text(".wizard-nav", step)
        choose(browser, choice)
    browser.picture("dashboard-wizard")
    browser.click("button.finish")

    server = browser.until(lambda: next(iter(demo.compute.servers(name=SERVER)), None), "the server to be there")
    guests.keep(server)
    assert guests.reach(server, "ACTIVE").flavor.name == guests.flavors[0].name
    browser.until(lambda: "Active" in browser.find("#instances").text, "the list of servers to say that it runs")
    browser.picture("dashboard-servers")


def choose(browser: Browser, name: str) -> None:
    """Takes one of what a step of the wizard offers; where there is one alone, the wizard has taken it itself."""

    def rows(table: str) -> list[WebElement]:
        found = browser.driver.find_elements(By.CSS_SELECTOR, f".transfer-{table} tr")
        return [row for row in found if row.is_displayed() and name in row.text]

    def chosen() -> bool:
        if rows("allocated"):
            return True
        for row in rows("available")[:1]:
            row.find_element(By.CSS_SELECTOR, "button").click()
        return False

    browser.until(chosen, f"{name} to be chosen")


def test_the_console_tab_shows_the_servers_screen(
    dashboard: str, browser: Browser, guests: Guests, demo: Connection
) -> None:
    server = next(iter(demo.compute.servers(name=SERVER)))
    browser.open(f"{dashboard}project/instances/{server.id}/?tab=instance_details__console")

    def drawn() -> Screen | None:
        with browser.inside("#console_embed"):
            screen = browser.screen()
        return screen if screen and screen.colours > 1 and screen.lit.count("1") > 1000 else None

    assert browser.until(drawn, "a console with something on it").width >= 640
    log = demo.compute.get_server_console_output
    browser.until(lambda: "login:" in str(log(server.id, length=5)), "the guest's login prompt")
    browser.scroll_to("#console_embed")
    browser.picture("dashboard-console")


def test_the_network_topology_has_the_server_in_it(dashboard: str, browser: Browser, guests: Guests) -> None:
    browser.open(f"{dashboard}project/network_topology/")
    browser.click("label[data-value='normal']")
    drawing = browser.find("#flatTopologyCanvasContainer")
    for name in (SERVER, guests.network.name, guests.router.name, guests.outside.name):
        browser.until(lambda name=name: name in drawing.get_attribute("textContent"), f"{name} to be drawn")
    browser.picture("dashboard-topology")


def test_its_memory(dashboard: str, browser: Browser, lab: Lab) -> None:
    container = lab.containers()["horizon"]["Id"]
    processes = [one for one in probe("containers")["processes"] if one["container"] == container]
    assert processes
    measured("memory of horizon (PSS)", sum(one["pss_kb"] for one in processes) * 1024 / 1e9, "GB", LIMIT_GB)
