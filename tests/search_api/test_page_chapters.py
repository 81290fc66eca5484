"""Chapters in a real browser: a list that plays from each, and headings in the transcript."""

from dataclasses import replace

from ingest.models import Chapter, Transcript
from ingest.transcripts.document import turns_from_segments
from search_api.app import create_app
from tests.search_api.browser import CHAPTERED_KEY, CHAPTERS, KEY, VIDEO, WATCHED, hostile, until
from tests.search_api.home import Client, add, opener

PAGE = f"/episodes/{CHAPTERED_KEY}"
TIME = "document.querySelector('#player audio').currentTime"


def test_each_chapter_plays_from_its_start(tab):
    tab.goto(PAGE)
    links = tab.get_by_role("navigation", name="Chapters").get_by_role("link")

    assert [one.inner_text().split(maxsplit=1)[1] for one in links.all()] == [one.title for one in CHAPTERS]
    for place in (1, 2):
        links.nth(place).click()
        until(tab, f"!document.querySelector('audio').paused && {TIME} >= {CHAPTERS[place].start}")
        assert tab.evaluate(TIME) < CHAPTERS[place].start + 3


def test_chapters_head_the_transcript_with_the_speakers_below_them(tab):
    tab.goto(PAGE)
    heads = tab.locator(".transcript :is(h2, h3)").all()
    told = [(one.evaluate("one => one.tagName"), one.inner_text().strip()) for one in heads]

    assert [text.partition("\n")[0].strip() for tag, text in told if tag == "H2"] == [one.title for one in CHAPTERS[:3]]
    assert told[:2] == [("H2", "Welcome"), ("H3", "Tom")]
    first = tab.locator(".transcript h2", has_text="Why the best leave").locator("xpath=following-sibling::p[1]")
    assert "First I listen" in first.inner_text()
    assert tab.locator(".transcript h2 a").get_attribute("href") == CHAPTERS[1].url
    assert tab.locator(".transcript h2 a").get_attribute("rel") == "noopener noreferrer"


def test_titles_and_addresses_of_chapters_do_nothing(tab):
    tab.goto(PAGE)

    assert not hostile(tab)
    assert tab.locator("main b").count() == 0
    assert "<b>Quotas</b> & money" in tab.locator(".chapters").inner_text()


def test_chapters_of_a_video_open_it_there(own):
    video = replace(VIDEO, chapters=(Chapter(60.0, "Sweets"),))
    add(own, Transcript(video, turns_from_segments(WATCHED), WATCHED))
    with Client(create_app(own, opener)) as client:
        page = client.get(f"/episodes/{video.key}").text
    assert (
        f'href="{VIDEO.link}&amp;t=60" target="_blank" rel="noopener noreferrer"><span>1:00</span> Sweets</a>' in page
    )


def test_an_episode_without_chapters_has_no_list_and_its_speakers_are_headings(tab):
    tab.goto(f"/episodes/{KEY}")

    assert tab.get_by_role("navigation", name="Chapters").count() == 0
    assert tab.locator(".transcript h3").count() == 0
    assert tab.locator(".transcript h2").first.inner_text() == "Laura"


def test_chapters_are_followed_without_scripts(browser, site):
    context = browser.new_context(base_url=site, java_script_enabled=False)
    tab = context.new_page()
    tab.goto(PAGE)

    assert tab.locator(".chapters a").nth(1).get_attribute("href").endswith("#t=10")
    context.close()
