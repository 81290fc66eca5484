"""Playing in a real browser: one player, which starts a little before the answer; transcripts that follow along."""

import json
import unicodedata

import pytest

from ingest.models import Episode, Segment, Transcript
from ingest.transcripts.document import turns_from_segments
from search_api.app import create_app
from tests.search_api.browser import ASKED, KEY, LECTURE, SAMPLE, SILENT, STEM, VIDEO, until
from tests.search_api.home import UNTIMED, add, opener, running

TIME = "document.querySelector('#player audio').currentTime"
PAUSED = "document.querySelector('#player audio').paused"


def test_play_starts_at_most_two_seconds_before_the_answer_and_one_player_plays(tab):
    tab.goto(f"/?q={ASKED}")
    cards = tab.locator(".hit", has=tab.locator("a.play[data-audio]"))
    moment = json.loads(cards.first.get_attribute("data-moment"))
    minutes, seconds = moment["time"].split(":")
    answer = 60 * int(minutes) + int(seconds)
    cards.first.locator("a.play").first.click()
    until(tab, f"!{PAUSED} && {TIME} > 0")

    assert answer - 2.5 <= tab.evaluate(TIME) <= answer + 2
    assert tab.locator("audio").count() == 1
    assert tab.get_by_role("region", name="Player").is_visible()
    tab.get_by_role("button", name="Back 15 seconds").click()
    assert tab.evaluate(TIME) <= max(0.5, answer - 12)
    before = tab.evaluate(TIME)
    tab.get_by_role("button", name="Forward 15 seconds").click()
    assert tab.evaluate(TIME) >= before + 14
    tab.get_by_label("Speed").select_option("1.5")
    assert tab.evaluate("document.querySelector('audio').playbackRate") == 1.5
    tab.get_by_role("button", name="Pause").click()
    assert tab.evaluate(PAUSED)


@pytest.mark.parametrize("place", [2, 8, 14])
def test_a_shared_link_cues_the_player_without_playing_and_marks_one_sentence(tab, place):
    start = SAMPLE[STEM][place]["start"]
    tab.goto(f"/episodes/{KEY}#t={start:.2f}".rstrip("0"))

    assert abs(tab.evaluate(TIME) - start) < 0.02
    assert tab.evaluate(PAUSED)
    assert tab.locator(".here").inner_text() == SAMPLE[STEM][place]["text"]
    assert tab.locator(".here").is_visible()
    tab.get_by_role("button", name="Play", exact=True).click()
    until(tab, f"{TIME} > {start + 0.1}")
    assert tab.evaluate(TIME) < start + 3


def test_a_link_into_a_sentence_goes_to_the_sentence(tab):
    sentence = SAMPLE[STEM][5]
    tab.goto(f"/episodes/{KEY}#t={(sentence['start'] + sentence['end']) / 2:.2f}")

    assert tab.locator(".here").inner_text() == sentence["text"]


def test_the_transcript_follows_along_and_a_click_on_a_sentence_plays_it(tab):
    tab.goto(f"/episodes/{KEY}")
    for place in (4, 9):
        sentence = SAMPLE[STEM][place]
        tab.get_by_text(sentence["text"], exact=True).first.click()
        until(tab, f"{TIME} > {sentence['start']} && {TIME} < {sentence['start'] + 2}")
        until(tab, f"document.querySelector('.now').textContent === {json.dumps(sentence['text'])}")
    tab.evaluate(f"document.querySelector('audio').currentTime = {SAMPLE[STEM][12]['start'] + 0.2}")
    until(tab, f"document.querySelector('.now')?.textContent === {json.dumps(SAMPLE[STEM][12]['text'])}")


def test_a_video_is_linked_at_the_moment_and_the_page_says_so(tab):
    tab.goto(f"/episodes/{VIDEO.key}")
    assert tab.get_by_text("Times open it at that moment on youtube.com").is_visible()
    assert tab.locator(".transcript a.time").first.get_attribute("href") == f"{VIDEO.link}&t=61"
    assert tab.locator("#player").is_hidden()

    tab.goto("/?q=marzipan+oven")
    link = tab.locator(".hit a.play").first
    assert link.get_attribute("href") == f"{VIDEO.link}&t=59"
    assert set(link.get_attribute("rel").split()) >= {"noopener"}


def test_audio_that_cannot_be_reached_says_so_and_links_out(tab):
    tab.goto("/?q=nutmeg+spice+soup")
    tab.locator(".hit a.play[data-audio]").first.click()
    alert = tab.get_by_role("alert")
    alert.wait_for()

    assert "cannot be reached" in alert.inner_text()
    assert alert.get_by_role("link").get_attribute("href") == SILENT.link
    tab.complaints.clear()  # the browser's own line about the refused connection


def test_a_transcript_without_times_reads_in_paragraphs(tab):
    tab.goto(f"/episodes/{LECTURE.key}")

    lengths = [len(one.inner_text()) for one in tab.locator(".transcript p").all()]
    assert len(lengths) > 5
    assert max(lengths) < 700
    assert all(one.inner_text().endswith(".") for one in tab.locator(".transcript p").all())


def test_words_are_found_in_a_transcript_with_their_number_and_the_next(tab):
    word = "sentence number 1"
    tab.goto(f"/episodes/{LECTURE.key}")
    tab.get_by_label("Find in the transcript").fill(word.upper())
    assert tab.locator("#found").inner_text() == "11 found"
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="Next").click()

    assert tab.locator("#found").inner_text() == "2 of 11"
    tab.get_by_label("Find in the transcript").fill("zebra")
    assert tab.locator("#found").inner_text() == "None"


def found(tab, phrase):
    """What is said of a phrase, and what is marked for it, in order."""
    tab.get_by_label("Find in the transcript").fill(phrase)
    marked = "[...CSS.highlights.get('find')].map((one) => one.toString().replace(/\\s+/g, ' '))"
    return tab.locator("#found").inner_text(), tab.evaluate(marked)


@pytest.mark.parametrize("first", [0, 7, 8])
def test_a_phrase_is_found_across_the_end_of_a_sentence(tab, first):
    one, two = (SAMPLE[STEM][place]["text"] for place in (first, first + 1))
    end, begin = " ".join(one.split()[-2:]), " ".join(two.split()[:2])
    tab.goto(f"/episodes/{KEY}")

    assert found(tab, f"{end}  {begin}".upper()) == ("1 found", [f"{end} {begin}"])
    tab.get_by_role("button", name="Next").click()
    assert tab.locator("#found").inner_text() == "1 of 1"


def test_times_and_names_between_sentences_are_no_words_of_a_phrase(tab):
    asked, answer = (SAMPLE[STEM][place]["text"] for place in (5, 6))
    tab.goto(f"/episodes/{KEY}")

    assert found(tab, f"{asked} Victor {answer}") == ("None", [])
    assert found(tab, f"{asked} {answer}") == ("None", [])
    assert found(tab, "Victor")[1][0] == "Victor"


@pytest.mark.parametrize(
    ("phrase", "marked"),
    [("cafe", "Café"), ("CAFÉ IST", "Café ist"), ("uber", "Über"), ("cafe ist zu. uber", "Café ist zu. Über")],
)
def test_words_are_found_whatever_their_accents(browser, own, phrase, marked):
    segments = (Segment(0.0, 2.0, "Das Cafe\u0301 ist zu.", "Ann"), Segment(2.0, 4.0, "Über uns ist niemand.", "Ann"))
    add(own, Transcript(Episode("p", "g", "Deutsch"), turns_from_segments(segments), segments))
    with running(create_app(own, opener)) as site:
        tab = browser.new_page()
        tab.goto(f"{site}/episodes/{Episode('p', 'g', '').key}")
        said, places = found(tab, phrase)
        tab.close()

    assert (said, [unicodedata.normalize("NFC", one) for one in places]) == ("1 found", [marked])


def test_no_jump_is_animated(tab):
    tab.goto(f"/episodes/{UNTIMED.episode.key}")

    assert tab.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
