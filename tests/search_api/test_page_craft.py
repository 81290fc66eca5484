"""The page for every reader, in a real browser: keyboard, small screens, colours, print, no scripts, screen readers, hostile words."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

import search_api
from tests.search_api.browser import ASKED, KEY, LECTURE, VIDEO, hostile, until
from tests.search_api.home import HOSTILE

PAGES = {
    "home": "/", "answers": f"/?q={ASKED}", "weak": "/?q=submarine+volcano", "nothing": "/?q=call&speaker=Nobody", "bad": "/?q=call&since=soon",
    "podcasts": "/podcasts", "episodes": "/episodes", "episode": f"/episodes/{KEY}", "untimed": f"/episodes/{LECTURE.key}",
    "video": f"/episodes/{VIDEO.key}", "hostile": f"/episodes/{HOSTILE.key}", "missing": "/episodes/nobody", "collections": "/collections",
    "operations": "/operations", "docs": "/docs",
}  # fmt: skip
OWN_BYTES = 60_000


RUN = (
    "(rules) => axe.run(rules).then((run) => run.violations.map((one) => [one.id, one.nodes.map((node) => node.html)]))"
)


@pytest.fixture(scope="module")
def axe():
    package = find_spec("axe_playwright_python")
    return Path(package.origin).with_name("axe.min.js").read_text("utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible_in_light_and_dark_and_fits_every_window(tab, name, axe):
    tab.goto(PAGES[name])
    tab.evaluate(axe)
    assert tab.evaluate(RUN, {}) == []
    tab.emulate_media(color_scheme="dark")
    assert tab.evaluate(RUN, {"runOnly": ["color-contrast"]}) == []
    for width in (320, 360, 1600):
        tab.set_viewport_size({"width": width, "height": 700})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        assert max(link.bounding_box()["height"] for link in tab.locator("header.site a").all()) < 40  # one line each
    tab.complaints.clear()  # what is not there is a 404


def test_what_opens_on_demand_is_accessible_too(tab, axe):
    def violations():
        tab.evaluate(axe)
        return tab.evaluate(RUN, {})

    tab.goto("/")
    tab.get_by_label("Your question").press_sequentially(ASKED.split()[-2][:4])
    tab.get_by_role("option").first.wait_for()
    tab.keyboard.press("ArrowDown")
    assert violations() == []
    tab.goto(PAGES["answers"])
    tab.locator(".filters summary").click()
    for summary in tab.locator(".hit").first.locator("summary").all():
        summary.click()
    tab.locator(".hit a.play[data-audio]").first.click()
    assert violations() == []
    tab.locator(".hit").first.get_by_role("button", name="Collect").click()
    assert violations() == []
    tab.keyboard.press("Escape")
    tab.goto(f"/episodes/{KEY}")
    tab.keyboard.press("j")
    assert violations() == []


@pytest.mark.parametrize("width", [320, 360])
def test_on_a_phone_play_source_and_answer_are_seen_at_once(tab, width):
    tab.set_viewport_size({"width": width, "height": 740})
    tab.goto(PAGES["answers"])

    first = tab.locator(".hit").first
    for part in (first.locator("a.play").first, first.locator("h3"), first.locator("mark").first):
        box = part.bounding_box()
        assert box["y"] + box["height"] < 740


def test_all_can_be_done_with_the_keyboard_alone(tab):
    tab.goto("/")
    tab.keyboard.press("Escape")
    tab.locator("body").evaluate("() => document.activeElement.blur()")
    tab.keyboard.press("/")
    tab.keyboard.type(ASKED)
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/?q=*")
    tab.locator(".hit").first.wait_for()
    tab.keyboard.press("j")
    tab.keyboard.press("j")
    tab.keyboard.press("k")
    assert tab.evaluate("document.activeElement.id") == "hit-1"
    tab.keyboard.press("Space")
    until(tab, "!document.querySelector('audio').paused")
    tab.keyboard.press("Space")
    until(tab, "document.querySelector('audio').paused")
    tab.keyboard.press("?")
    assert tab.get_by_role("dialog", name="Keyboard").is_visible()
    tab.keyboard.press("Escape")
    page = tab.locator("#hit-1").get_attribute("data-page")
    tab.keyboard.press("Enter")
    tab.wait_for_url(f"**{page}")
    until(tab, "document.querySelector('.here') !== null")
    tab.keyboard.press("j")
    assert tab.locator(".here").evaluate("part => part === document.activeElement")
    start = float(tab.locator(".here").get_attribute("id")[2:])
    tab.keyboard.press("Enter")
    until(tab, f"document.querySelector('audio').currentTime > {start} && !document.querySelector('audio').paused")


def test_the_first_tab_stop_skips_to_the_content(tab):
    tab.goto("/podcasts")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"


def luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("scheme", "dark"), [("light", False), ("dark", True)])
def test_the_page_is_light_or_dark_as_the_reader_has_it(tab, scheme, dark):
    tab.emulate_media(color_scheme=scheme)
    tab.goto(PAGES["answers"])

    assert (luminance(tab.evaluate("getComputedStyle(document.body).backgroundColor")) < 0.2) is dark


@pytest.mark.parametrize("place", ["answers", "episode"])
def test_forced_colours_keep_the_mark(tab, place):
    tab.emulate_media(forced_colors="active")
    tab.goto(PAGES[place])
    if place == "episode":
        tab.keyboard.press("j")
    marked = "mark" if place == "answers" else ".here"

    colour = tab.locator(marked).first.evaluate("one => getComputedStyle(one).backgroundColor")
    around = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour not in {around, "rgba(0, 0, 0, 0)"}


def test_everything_is_read_and_asked_without_scripts(browser, site):
    context = browser.new_context(base_url=site, java_script_enabled=False)
    tab = context.new_page()
    tab.goto("/")
    tab.get_by_label("Your question").fill(ASKED)
    tab.get_by_role("button", name="Ask").click()
    tab.wait_for_url("**/?q=*")
    address = tab.url
    hit = tab.locator(".hit").first
    play = hit.locator("a.play").first.get_attribute("href")
    buttons = [one.is_visible() for one in tab.locator(".scripted").all()]
    hit.locator("h3 a").click()
    tab.wait_for_url("**/episodes/*")
    target = tab.locator(".transcript span:target")

    assert "&" not in address.partition("?")[2]
    assert re.search(r"/audio/.+#t=[\d.]+", play)
    assert not any(buttons)
    assert target.evaluate("one => getComputedStyle(one).backgroundColor") != "rgba(0, 0, 0, 0)"
    assert tab.locator("a.time").first.get_attribute("href").startswith("http")
    context.close()


def test_print_keeps_the_answers_and_their_links(tab):
    tab.goto(PAGES["answers"])
    tab.emulate_media(media="print")

    assert len(tab.pdf()) > 10_000
    assert tab.locator(".hit mark").first.is_visible()
    assert tab.locator(".search").is_hidden()
    assert tab.locator("#player").is_hidden()
    assert "attr(href)" in tab.evaluate(
        "getComputedStyle(document.querySelector('.hit h3 a'), '::after').content"
    ) or "/episodes/" in tab.evaluate("getComputedStyle(document.querySelector('.hit h3 a'), '::after').content")


@pytest.mark.parametrize(
    "address",
    [
        "/?q=prices&podcast=selling-well",
        f"/episodes/{HOSTILE.key}",
        "/episodes",
        '/?q=prices+"><script>alert(5)</script>',
    ],
)
def test_hostile_words_of_feeds_do_nothing(tab, address):
    tab.goto(address)

    assert not hostile(tab)
    assert HOSTILE.title in tab.locator("body").inner_text()


def test_hostile_words_in_a_collection_do_nothing(tab):
    tab.goto("/")
    moment = {
        "text": "<img src=x onerror=alert(1)>",
        "title": "<script>alert(2)</script>",
        "page": "javascript:alert(3)",
        "link": "javascript:alert(4)",
        "note": "<b>",
    }
    tab.evaluate(
        "(one) => localStorage.setItem('soundbite.collections', JSON.stringify([{name: '<i>', moments: [one]}]))",
        moment,
    )
    tab.goto("/collections")

    assert not hostile(tab)
    assert tab.locator(".moment a").count() == 0


@pytest.mark.parametrize("name", ["home", "answers", "episode", "collections"])
def test_nothing_moves_after_it_is_painted(tab, name):
    tab.goto(PAGES[name])
    tab.wait_for_timeout(150)
    moved = """new Promise((done) => { let sum = 0; new PerformanceObserver((list) => {
        for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value; }).observe({type: 'layout-shift', buffered: true});
        setTimeout(() => done(sum), 100); })"""

    assert tab.evaluate(moved) < 0.001


def test_motion_is_only_for_those_who_want_it(tab):
    tab.goto(PAGES["answers"])

    assert tab.locator("a.play").first.evaluate("one => getComputedStyle(one).transitionDuration") == "0s"


def test_own_styles_and_scripts_are_small():
    static = Path(search_api.__file__).parent / "static"

    assert sum(one.stat().st_size for one in static.iterdir() if one.suffix in {".css", ".js"}) < OWN_BYTES


@pytest.mark.parametrize(
    "path", sorted((Path(search_api.__file__).parent / "templates").iterdir()), ids=lambda path: path.name
)
def test_templates_have_no_inline_scripts_or_styles_and_links_out_are_safe(path):
    text = path.read_text("utf-8")

    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", text)
    assert "|safe" not in text
    for link in re.findall(r"<a [^>]*target=\"_blank\"[^>]*>", text, re.DOTALL):
        assert "noopener" in link
