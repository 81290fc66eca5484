"""Keeping what was found, in a real browser: quotes, collections, briefs, and the feed of a question."""

import csv
import io
import json
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import fromstring
from xml.sax.saxutils import escape

import pytest

from tests.search_api.browser import ASKED, KEY, PODCAST, SAMPLE, STEM, TITLE, until


def moments(tab):
    """The first card, and what it says of its moment."""
    tab.goto(f"/?q={ASKED}")
    card = tab.locator(".hit").first
    return card, json.loads(card.get_attribute("data-moment"))


def copied(tab, kind="text/plain"):
    read = (
        "async (kind) => { const [one] = await navigator.clipboard.read(); return (await one.getType(kind)).text(); }"
    )
    return tab.evaluate(read, kind)


def copy(card, name):
    card.locator(".menu summary").click()
    card.get_by_role("button", name=name).click()
    card.get_by_role("button", name="Copied").wait_for()


def test_a_quote_is_copied_with_its_speaker_source_and_link(tab):
    card, moment = moments(tab)
    copy(card, "Plain text")

    assert copied(tab) == moment["citation"]
    for part in (moment["text"], moment["speaker"], moment["title"], TITLE, moment["time"], moment["link"]):
        assert part in copied(tab)


def test_a_quote_is_copied_as_markdown(tab, site):
    card, moment = moments(tab)
    copy(card, "Markdown")

    text = copied(tab)
    assert text.startswith(
        f"> {moment['text']}\n>\n> — **{moment['speaker']}**, [{moment['title']}]({site}{moment['page']})"
    )
    assert text.endswith(f"[{moment['time']}]({moment['link']})")


def test_a_quote_is_copied_as_rich_text_with_plain_text_beside_it(tab):
    card, moment = moments(tab)
    copy(card, "Quote with link")

    html = copied(tab, "text/html")
    assert f"<blockquote>{moment['text']}</blockquote>" in html
    assert f'<a href="{moment["link"]}">{moment["title"]}</a>' in html
    assert moment["text"] in copied(tab)


def test_a_sentence_of_a_transcript_is_copied_and_collected(tab, site):
    sentence = SAMPLE[STEM][6]
    tab.goto(f"/episodes/{KEY}#t={sentence['start']:.2f}")
    tab.get_by_role("button", name="Copy quote").click()
    tab.get_by_role("button", name="Copied").wait_for()
    assert copied(tab).startswith(f"“{sentence['text']}” — {sentence['speaker']}, “")

    tab.get_by_role("button", name="Collect").click()
    tab.get_by_label("New list").fill("From the transcript")
    tab.keyboard.press("Enter")
    tab.goto("/collections")
    link = tab.locator(".moment .who a").first.get_attribute("href")
    assert link.startswith(f"{site}/episodes/{KEY}#t=")


def collect(tab, card, name):
    card.get_by_role("button", name="Collect").click()
    there = tab.get_by_role("dialog").get_by_role("button", name=name, exact=True)
    if there.count():
        there.click()
    else:
        tab.get_by_label("New list").fill(name)
        tab.get_by_role("button", name="Add", exact=True).click()
    tab.get_by_text(f"Collected in “{name}”").wait_for()


def test_collected_moments_are_ordered_noted_and_exported_as_a_brief(tab):
    tab.goto("/?q=call")
    cards = tab.locator(".hit")
    first, second = (json.loads(cards.nth(n).get_attribute("data-moment")) for n in range(2))
    for n in range(2):
        collect(tab, cards.nth(n), "Team meeting")
    collect(tab, cards.nth(0), "Team meeting")  # a second time adds nothing
    tab.get_by_role("link", name="See collections").click()
    tab.get_by_role("button", name="Move down").click()
    tab.get_by_label("Note").first.fill("=Ask about this")
    tab.get_by_label("Note").first.blur()
    tab.reload()

    shown = [one.inner_text() for one in tab.locator(".moment blockquote").all()]
    assert [one.split() for one in shown] == [second["text"].split(), first["text"].split()]
    with tab.expect_download() as started:
        tab.get_by_role("button", name="Download as Markdown").click()
    assert started.value.suggested_filename == "Team meeting.md"
    brief = started.value.path().read_text("utf-8")
    assert brief.startswith("# Team meeting\n\n> ")
    assert brief.index(second["title"]) < brief.index("=Ask about this") < brief.rindex(first["link"])
    with tab.expect_download() as started:
        tab.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(io.StringIO(started.value.path().read_text("utf-8-sig"))))
    assert [row["link"] for row in rows] == [second["link"], first["link"]]
    assert rows[0]["note"] == "'=Ask about this"  # a sheet must not run it


def test_a_list_is_renamed_and_deleted(tab):
    card, _ = moments(tab)
    collect(tab, card, "Draft")
    tab.goto("/collections")
    tab.get_by_label("Name of the list").fill("Final")
    tab.keyboard.press("Tab")
    tab.reload()
    assert tab.get_by_label("Name of the list").input_value() == "Final"

    tab.once("dialog", lambda asked: asked.accept())
    tab.get_by_role("button", name="Delete list").click()
    assert tab.get_by_text("Nothing yet.").is_visible()


def test_a_brief_prints_with_its_links(tab):
    card, moment = moments(tab)
    collect(tab, card, "For print")
    tab.goto("/collections")
    tab.emulate_media(media="print")

    assert tab.pdf().startswith(b"%PDF")
    assert tab.get_by_role("button", name="CSV").is_hidden()
    shown = tab.evaluate("getComputedStyle(document.querySelector('.link-out'), '::after').content")
    assert shown == '" (" attr(href) ")"' or moment["link"] in shown
    assert tab.locator(".name-print").inner_text() == "For print"


def test_a_question_is_followed_by_its_feed(tab, site):
    _, moment = moments(tab)
    address = tab.locator("link[rel=alternate]").get_attribute("href")
    tab.get_by_role("button", name="Copy address").click()
    until(tab, "document.querySelector('.follow button').textContent === 'Copied'")
    assert tab.evaluate("navigator.clipboard.readText()") == f"{site}{address}"

    answer = tab.request.get(address)
    assert answer.headers["content-type"].startswith("application/rss+xml")
    items = fromstring(answer.text()).findall("channel/item")
    assert any(escape(moment["text"]) in item.findtext("description") for item in items)
    assert len({item.findtext("guid") for item in items}) == len(items)
    assert all(item.findtext("link").startswith("http") for item in items)


def test_a_question_that_nothing_answers_has_an_empty_feed(tab):
    channel = fromstring(tab.request.get(f"/feed.xml?q=submarine+volcano&podcast={PODCAST}").text())[0]

    assert "submarine volcano" in channel.findtext("title")
    assert channel.findall("item") == []


@pytest.mark.parametrize(
    ("dates", "there"),
    [
        ("", True),
        ("&since=2026-10-12", True),
        ("&until=2026-10-12", True),
        ("&since=2026-10-01&until=2026-10-31", True),
        ("&since=2026-10-13", False),
        ("&until=2026-10-11", False),
        ("&since=2099-01-01", False),
    ],
)
def test_the_feed_of_a_question_is_narrowed_by_date_as_its_page_is(tab, dates, there):
    tab.goto(f"/?q={ASKED}{dates}")  # asked and answered on 12 October 2026
    head = tab.locator("link[rel=alternate]").get_attribute("href")
    items = fromstring(tab.request.get(head).text()).findall("channel/item")
    days = {parsedate_to_datetime(item.findtext("pubDate")).day for item in items}

    assert head.endswith(dates)
    assert (12 in days) is there


def test_a_date_that_is_none_is_refused_by_the_feed_too(tab):
    assert tab.request.get(f"/feed.xml?q={ASKED}&since=soon").status == 422
