"""The page of iris serve in a real browser: Debian's Chromium, without a window, driven by Playwright."""

import json
import re
import shutil

import pytest
from serving import Server

REASON = "Playwright is not installed: script/setup-extras --serve"
playwright = pytest.importorskip("playwright.sync_api", reason=REASON)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed: script/setup-extras --serve")
# Else it looks for the hosts of its maker.
ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGUMENTS += ["--disable-component-update", "--disable-sync"]
PHONE = {"width": 390, "height": 844}
SETOSA, VIRGINICA = {"petal_length": "1.4", "petal_width": "0.2"}, {"petal_length": "6.5", "petal_width": "2.3"}


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=False, args=ARGUMENTS)
        yield started
        started.close()


@pytest.fixture
def open_page(browser, server):
    """open_page(**options of Playwright's new_page): the page, complete. At the end nothing may have gone wrong:
    no error, no broken Content-Security-Policy, no request to another host."""
    pages, asked, wrong = [], [], []

    def call(**options):
        page = browser.new_page(**options)
        pages.append(page)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(server.url)
        playwright.expect(page.locator("#card dd")).to_have_count(4)
        return page

    yield call
    for page in pages:
        page.close()
    assert wrong == []
    assert asked
    assert [url for url in asked if not url.startswith((server.url + "/", "data:"))] == []


def move(page, values):
    for name, value in values.items():
        page.locator(f"#{name}").fill(value)


def test_moving_a_slider_changes_the_species_and_the_bars(open_page):
    page = open_page()
    move(page, SETOSA)
    playwright.expect(page.locator("#label")).to_have_text("setosa")
    bars = page.locator(".bar div")
    playwright.expect(bars).to_have_count(3)
    playwright.expect(bars.nth(0)).to_have_attribute("style", re.compile(r"width: 9\d"))
    move(page, VIRGINICA)
    playwright.expect(page.locator("#label")).to_have_text("virginica")
    playwright.expect(bars.nth(0)).to_have_attribute("style", re.compile(r"width: 0\b|e-"))
    playwright.expect(bars.nth(2)).to_have_attribute("style", re.compile(r"width: 9\d"))
    assert page.locator(".value").all_text_contents()[2] == page.locator("#confidence").text_content()


def test_dragging_with_the_mouse_answers_on_the_way(open_page):
    page = open_page()
    move(page, SETOSA)
    box = page.locator("#petal_length").bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, y)
    page.mouse.down()
    for step in range(1, 20):
        page.mouse.move(box["x"] + box["width"] * step / 20, y)
    playwright.expect(page.locator("#label")).not_to_have_text("setosa")  # the button is still down
    page.mouse.up()


def test_the_keyboard_alone_moves_it_within_the_data(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    slider = page.locator("input:focus")
    assert slider.get_attribute("id") == "sepal_length"
    assert (slider.get_attribute("min"), slider.get_attribute("max")) == ("4.3", "7.9")
    before = float(slider.input_value())
    page.keyboard.press("ArrowRight")
    assert float(slider.input_value()) == pytest.approx(before + 0.1)
    assert page.locator("output[for=sepal_length]").text_content() == slider.input_value()
    for key, value in (("Home", "4.3"), ("End", "7.9"), ("ArrowRight", "7.9")):
        page.keyboard.press(key)
        assert slider.input_value() == value
    for _ in range(2):
        page.keyboard.press("Tab")
    assert page.locator("input:focus").get_attribute("id") == "petal_length"
    page.keyboard.press("Home")
    playwright.expect(page.locator("#label")).to_have_text("setosa")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_it_speaks_to_screen_readers(open_page):
    page = open_page()
    assert page.get_by_role("slider", name=re.compile("petal width")).count() == 1
    assert page.locator("#answer[role=status]").count() == 1
    assert page.locator("#features output:not([aria-live=off])").count() == 0
    assert page.locator("html").get_attribute("lang") == "en"


def test_the_card_tells_the_name_and_the_accuracy(open_page):
    page = open_page()
    assert page.locator("#name").text_content() == "iris"
    assert "98.0 %: 147 of the 150 flowers" in page.locator("#card").text_content()


def luminance(color):
    """As the Web Content Accessibility Guidelines define it, of "rgb(1, 2, 3)"."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", color)[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_in_light_and_dark(open_page, scheme):
    page = open_page(color_scheme=scheme)
    card = page.evaluate("getComputedStyle(document.querySelector('section')).backgroundColor")
    assert (luminance(card) > 0.5) == (scheme == "light")
    page.evaluate("document.getElementById('trouble').hidden = false")
    for place in ("#label", "#confidence", ".bar-name", "dt", "dd", "#trouble"):
        color = page.evaluate("place => getComputedStyle(document.querySelector(place)).color", place)
        least, most = sorted((luminance(color), luminance(card)))
        assert (most + 0.05) / (least + 0.05) >= 4.5, place


def test_it_fits_a_phone(open_page):
    page = open_page(viewport=PHONE, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    box = page.locator("#petal_length").bounding_box()
    assert box["height"] >= 24
    page.touchscreen.tap(box["x"] + 4, box["y"] + box["height"] / 2)
    playwright.expect(page.locator("#label")).to_have_text("setosa")


def test_it_says_what_is_wrong_and_recovers_when_the_server_is_back(browser, binary, repo):
    first = Server(binary, repo / "models/iris_net.pt")
    page = browser.new_page()
    page.goto(first.url)
    playwright.expect(page.locator("#card dd")).to_have_count(4)
    first.stop()
    move(page, SETOSA)
    trouble = page.locator("#trouble")
    playwright.expect(trouble).to_have_text("The server does not answer. The page tries again.")
    playwright.expect(page.locator("section")).to_have_class("old")  # what it shows is not the answer
    second = Server(binary, repo / "models/iris_net.pt", port=first.port)
    try:
        playwright.expect(trouble).to_be_hidden(timeout=15000)  # nobody touched it
        playwright.expect(page.locator("#label")).to_have_text("setosa")
        playwright.expect(page.locator("section")).not_to_have_class("old")
        page.close()
    finally:
        second.stop()


def test_it_asks_for_the_key_and_keeps_it_for_the_tab(browser, serve, tmp_path):
    (tmp_path / "key").write_text("secret")
    server = serve("--api-key-file", tmp_path / "key")
    page = browser.new_page()
    page.goto(server.url)
    playwright.expect(page.locator("#key-trouble")).to_have_text("This server wants a key.")
    page.get_by_label("Key", exact=True).fill("wrong")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#key-trouble")).to_have_text("This is not the server's key.")
    page.get_by_label("Key", exact=True).fill("secret")
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#card dd")).to_have_count(4)
    playwright.expect(page.locator("#key-form")).to_be_hidden()
    move(page, SETOSA)
    playwright.expect(page.locator("#label")).to_have_text("setosa")
    page.reload()
    playwright.expect(page.locator("#card dd")).to_have_count(4)
    assert "secret" not in page.content()
    other = browser.new_page()  # of its own
    other.goto(server.url)
    playwright.expect(other.locator("#key-form")).to_be_visible()
    page.close()
    other.close()


@pytest.fixture
def linear(tmp_path):
    """linear(features, classes, names): the file of a TorchScript module."""
    import torch

    def call(features, classes, names=None):
        path = tmp_path / "linear.pt"
        module = torch.jit.trace(torch.nn.Linear(features, classes), torch.zeros(1, features))
        torch.jit.save(module, str(path), _extra_files={"iris.json": json.dumps(names)} if names else {})
        return path

    return call


def test_a_model_without_names_takes_a_number_for_each_feature_that_its_weights_show(browser, serve, linear):
    server = serve(model=linear(5, 3))
    page = browser.new_page()
    page.goto(server.url)
    playwright.expect(page.locator("input[type=number]")).to_have_count(5)
    playwright.expect(page.locator(".bar-name")).to_have_count(3)
    assert page.locator("#label").text_content() in ("0", "1", "2")
    page.close()


def test_a_model_of_which_nothing_is_known_takes_a_line_of_numbers(browser, serve, tmp_path):
    import torch

    class Linear(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.randn(15))

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows @ self.weight.view(5, 3)

    torch.jit.script(Linear()).save(str(tmp_path / "model.ts.pt"))
    server = serve(model=tmp_path / "model.ts.pt")
    page = browser.new_page()
    page.goto(server.url)
    numbers = page.get_by_label("Numbers, with commas between")
    numbers.fill("1, 2, 3.5, -4e-1, 5")
    playwright.expect(page.locator(".bar-name")).to_have_count(3)
    assert page.locator("#label").text_content() in ("0", "1", "2")
    numbers.fill("1, 2")
    playwright.expect(page.locator("#trouble")).to_be_visible()
    numbers.fill("1, 2, 3, 4, 5")
    playwright.expect(page.locator("#trouble")).to_be_hidden()
    page.close()


def test_any_number_of_features_and_classes_fits(browser, serve, linear):
    names = {"features": [f"f{i}" for i in range(13)], "labels": [f"class {i}" for i in range(40)]}
    server = serve(model=linear(13, 40, names))
    page = browser.new_page(viewport=PHONE)
    page.goto(server.url)
    playwright.expect(page.locator("input[type=number]")).to_have_count(13)
    playwright.expect(page.locator(".bar-name")).to_have_count(10)
    playwright.expect(page.locator("#bars .quiet")).to_have_text("and 30 less likely ones")
    assert page.locator("#label").text_content() == page.locator(".bar-name span").first.text_content()
    assert page.title() == "iris"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.close()


def test_values_are_shown_as_they_are(browser, server):
    page = browser.new_page()
    answer = json.dumps({"predictions": [{"values": {"y0": 1.5, "y1": -2}}]})
    page.route("**/predict", lambda route: route.fulfill(body=answer, content_type="application/json"))
    page.goto(server.url)
    playwright.expect(page.locator("#label")).to_have_text("1.5, -2")
    assert page.locator(".bar-name").all_text_contents() == ["y01.5", "y1-2"]
    page.close()


def test_the_accuracy_is_measured_also_where_the_queue_is_small(browser, serve):
    server = serve("--max-queue-rows", 8)
    page = browser.new_page()
    page.goto(server.url)
    playwright.expect(page.locator("#card")).to_contain_text("98.0 %: 147 of the 150 flowers")
    page.close()


def test_the_bars_are_seen_in_forced_colors(open_page):
    page = open_page(forced_colors="active")
    move(page, SETOSA)
    playwright.expect(page.locator("#label")).to_have_text("setosa")
    bar, frame = (
        page.evaluate("place => getComputedStyle(document.querySelector(place)).backgroundColor", place)
        for place in (".bar div", ".bar")
    )
    assert bar != frame
    border = page.evaluate("getComputedStyle(document.querySelector('.bar')).borderTopWidth")
    assert border == "1px"


def test_names_cannot_break_out_of_it(browser, serve, repo):
    server = serve("--name", "<script>alert(1)<!--", "--labels", "</script><img src=x onerror=alert(1)>,b,c")
    page = browser.new_page()
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page.goto(server.url)
    playwright.expect(page.locator("#name")).to_have_text("<script>alert(1)<!--")
    playwright.expect(page.locator(".bar-name")).to_have_count(3)
    assert page.locator("img").count() == 0
    assert dialogs == []
    page.close()


def test_its_policy_is_strict(server):
    policy = server.ask("/")[1]["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
