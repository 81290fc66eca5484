"""Asking in a real browser: the box, filters, suggestions, short addresses, what is shown of an answer."""

import pytest

from ingest.identity import episode_key
from tests.search_api.browser import ANSWERER, ASKED, PODCAST, SAMPLE, TITLE, until


def ask(tab, question=ASKED):
    tab.goto("/")
    tab.get_by_label("Your question").fill(question)
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/?q=*")


def test_a_question_is_answered_by_marked_words_of_who_answers_it(tab, site):
    ask(tab)

    first = tab.locator(".hit").first
    assert first.locator("mark").first.inner_text().strip()
    assert first.locator(".who b").inner_text() == ANSWERER
    assert TITLE in first.locator(".who").inner_text()
    assert "2026" in first.locator("time").inner_text()
    assert first.locator(".why").first.inner_text().startswith(("Says “", "Close in", "Near in"))
    assert tab.hosts == {site}
    assert tab.url.removeprefix(site).startswith("/?q=")
    assert "&" not in tab.url


def test_an_example_of_the_first_page_has_an_answer(tab):
    tab.goto("/")
    examples = tab.locator(".examples a")
    assert 1 <= examples.count() <= 5
    examples.first.click()

    tab.locator(".hit mark").first.wait_for()
    assert tab.get_by_text("No good answer found").count() == 0


def test_filters_are_lists_and_can_be_taken_away_one_by_one(tab):
    ask(tab)
    tab.locator(".filters summary").click()
    tab.get_by_role("combobox", name="Podcast").select_option(label=TITLE)
    tab.get_by_label("Speaker").fill(ANSWERER)
    tab.get_by_label("From").fill("2026-01-01")
    tab.get_by_role("button", name="Ask").click()
    tab.wait_for_url("**speaker=*")

    asked = dict(part.split("=") for part in tab.url.partition("?")[2].split("&"))
    assert set(asked) == {"q", "podcast", "speaker", "since"}
    assert asked["podcast"] == PODCAST
    assert {one.inner_text() for one in tab.locator(".hit .who b").all()} == {ANSWERER}
    assert tab.locator(".chips a").count() == 3
    tab.locator(".chips a", has_text="said by").click()
    until(tab, "document.querySelectorAll('.chips a').length === 2")
    assert "speaker" not in tab.url


def test_suggestions_come_while_typing_and_are_chosen_with_the_keyboard(tab):
    tab.goto("/")
    tab.get_by_label("Your question").press_sequentially(ANSWERER[:3])
    line = tab.get_by_role("option", name=ANSWERER)
    line.wait_for()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    tab.wait_for_url("**/?speaker=*")

    assert tab.get_by_label("Speaker").input_value() == ANSWERER
    box = tab.get_by_label("Your question")
    assert box.evaluate("box => box === document.activeElement")


def test_what_was_asked_before_is_suggested(tab):
    ask(tab)
    tab.goto("/")
    tab.get_by_label("Your question").press_sequentially(ASKED[:6])

    tab.get_by_role("option", name="Asked before").wait_for()


@pytest.mark.parametrize(("field", "wrong"), [("speaker", ANSWERER[:-1] + "x"), ("podcast", "The Quota Rom")])
def test_a_name_that_is_not_there_offers_the_one_that_is_close(tab, field, wrong):
    tab.goto(f"/?q=call&{field}={wrong}")
    tab.complaints.clear()  # a podcast that is not there is a 404
    tab.get_by_text("Did you mean").get_by_role("link").first.click()

    tab.locator(".hit").first.wait_for()


def test_nothing_good_is_said_plainly_with_what_is_closest(tab):
    tab.goto("/?q=submarine+volcano")

    assert tab.get_by_role("heading", name="No good answer found").is_visible()
    assert tab.locator(".hit").count() >= 1


def test_more_moments_of_an_episode_are_folded(tab):
    ask(tab)
    folded = tab.locator(".hit details.rest", has_text="in this episode").first

    assert not folded.locator("li").first.is_visible()
    folded.locator("summary").click()
    assert folded.locator("li").first.is_visible()


def test_results_are_painted_in_less_than_300_ms_beyond_the_search(tab):
    ask(tab)
    took = []
    for _ in range(3):
        tab.reload()
        until(tab, "performance.getEntriesByName('first-contentful-paint').length")
        painted = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        took.append(
            painted - tab.evaluate("Number(/([0-9]+) ms/.exec(document.querySelector('footer').textContent)[1])")
        )

    assert min(took) < 300


def test_a_card_shows_what_is_said_around_the_answer_beyond_its_passage(tab):
    tab.goto(f"/?q={ASKED}&mode=text")
    card = tab.locator(".hit").first
    key = card.get_attribute("data-page").removeprefix("/episodes/").partition("#")[0]
    spoken = SAMPLE[next(stem for stem in SAMPLE if episode_key(PODCAST, stem) == key)]
    said = [one["text"] for one in spoken]
    sponsors = {one["text"] for one in spoken if one["speaker"] == "Announcer"}
    marked = " ".join(card.locator("mark").all_inner_texts())
    answer = [place for place, sentence in enumerate(said) if sentence in marked]
    shown = " ".join(card.locator("blockquote").first.inner_text().split())

    for sentence in said[max(0, answer[0] - 2) : answer[-1] + 3]:
        assert (sentence in shown) == (sentence not in sponsors)
