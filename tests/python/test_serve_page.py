"""The page of iris serve in a real browser: Debian's Chromium, without a window."""

import shutil

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: script/setup --serve")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="Chromium is not installed: script/setup --serve")
WAIT_S = 20


@pytest.fixture(scope="module")
def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    ):
        options.add_argument(argument)
    for argument in ("--disable-component-update", "--disable-sync", "--disable-quic", "--window-size=390,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield started
    started.quit()


@pytest.fixture
def page(browser, server):
    browser.get(server.url)
    wait(browser, "return document.querySelectorAll('#card dd').length >= 4")
    return browser


def wait(browser, script):
    from selenium.webdriver.support.ui import WebDriverWait

    WebDriverWait(browser, WAIT_S).until(lambda it: it.execute_script(script))


def move(browser, feature, value):
    browser.execute_script(
        "const it = document.getElementById(arguments[0]);"
        "it.value = arguments[1]; it.dispatchEvent(new Event('input'))",
        feature,
        value,
    )


def test_moving_a_slider_changes_the_species(page):
    move(page, "petal_length", 1.4)
    move(page, "petal_width", 0.2)
    wait(page, "return document.getElementById('label').textContent == 'setosa'")
    setosa = page.execute_script("return document.querySelector('.bar div').style.width")
    move(page, "petal_length", 6.5)
    move(page, "petal_width", 2.3)
    wait(page, "return document.getElementById('label').textContent == 'virginica'")
    assert page.execute_script("return document.querySelector('.bar div').style.width") != setosa
    assert page.execute_script("return document.querySelectorAll('.bar').length") == 3


def test_the_keyboard_moves_it_within_the_data(page):
    slider = page.find_element("id", "sepal_length")
    assert (slider.get_attribute("min"), slider.get_attribute("max")) == ("4.3", "7.9")
    before = float(slider.get_attribute("value"))
    slider.send_keys("\ue014")  # the right arrow
    assert float(slider.get_attribute("value")) == pytest.approx(before + 0.1)
    assert page.find_element("css selector", "output[for=sepal_length]").text == slider.get_attribute("value")


def test_the_card_tells_the_accuracy(page):
    assert "98.0 %: 147 of the 150 flowers" in page.find_element("id", "card").text


def test_it_asks_no_other_host_and_breaks_no_rule(page, server):
    import json

    asked = set()
    for entry in page.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            asked.add(message["params"]["request"]["url"])
    assert all(url.startswith((server.url, "data:")) for url in asked), asked
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []
    policy = server.ask("/")[1]["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_it_fits_a_phone(page):
    assert page.execute_script("return document.documentElement.scrollWidth <= window.innerWidth")
