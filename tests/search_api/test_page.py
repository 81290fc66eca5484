"""The pages as text, without a browser."""

from html import unescape

import pytest

from ingest.settings import Settings
from search_api.app import create_app
from tests.search_api.browser import ASKED, TITLE
from tests.search_api.home import GUID, HOSTILE, TIMED, Client, add, opener


@pytest.fixture(scope="module")
def pages(page_settings):
    with Client(create_app(page_settings, opener)) as client:
        yield client


def test_nothing_said_or_asked_is_taken_for_html(pages):
    asked = 'prices "><script>alert(5)</script>'
    for page in (pages.get("/", params={"q": asked, "speaker": "", "podcast": "selling-well"}).text,
                 pages.get(f"/episodes/{HOSTILE.key}").text,
                 pages.get("/episodes").text,
                 pages.get("/", params={"q": asked, "since": "<u>"}).text):  # fmt: skip
        for made in ("<script>", "<b>rise", "<b>nobody", "<u>", "<i>", "<img", "javascript:"):
            assert made not in page
        assert "&lt;" in page


def test_the_first_page_says_how_much_there_is(pages):
    page = pages.get("/").text
    assert 'name="q"' in page
    assert TITLE in page
    assert "Latest episodes" in page
    assert " episodes, " in page.partition("<footer")[2]


@pytest.mark.parametrize(
    ("long", "short"),
    [
        ("/?q=call&podcast=&speaker=&since=&until=&mode=hybrid&limit=10", "/?q=call"),
        ("/?q=+", "/"),
        ("/?q=call&mode=text&language=&adverts=false", "/?q=call&mode=text"),
        ("/?q=call&podcast=the-quota-room&podcast=&podcast=talks", "/?q=call&podcast=the-quota-room&podcast=talks"),
    ],
)
def test_an_address_with_empty_fields_leads_to_its_short_form(pages, long, short):
    answer = pages.get(long, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, short)
    assert pages.get(short, follow_redirects=False).status_code == 200


def test_a_question_without_hits_says_what_to_try(pages):
    page = pages.get("/?q=call&speaker=Nobodyatall").text
    assert "Nothing found" in page
    assert "Remove a filter" in page
    assert '<a href="/?q=call">said by Nobodyatall' in page


def test_a_corrected_question_is_said(pages):
    first, *rest = ASKED.split()[-2].strip("?.,"), ASKED
    typo = rest[0].replace(first, f"{first[0]}{first}") if len(first) > 3 else "cold calll"
    assert "Did you mean <b>" in pages.get("/", params={"q": typo}).text
    assert "Did you mean" not in pages.get("/", params={"q": ASKED}).text


@pytest.mark.parametrize("asked", ["limit=0", "since=yesterday", "mode=magic"])
def test_what_cannot_be_asked_is_explained_and_stays_in_the_form(pages, asked):
    answer = pages.get(f"/?q=call&{asked}")
    assert answer.status_code == 422
    assert f"<p>{asked.partition('=')[0]}: " in answer.text
    assert 'value="call"' in answer.text


def test_any_last_day_can_be_asked_for(pages):
    assert 'class="hit"' in pages.get("/?q=call&until=9999-12-31").text


def test_more_answers_go_on_where_the_first_ended(pages):
    first = pages.get("/?q=call&limit=2").text
    more = unescape(first.partition('" rel="next"')[0].rpartition('href="')[2])
    second = pages.get(more).text
    assert 'id="hit-2"' in first
    assert 'id="hit-3"' in second
    assert 'id="hit-1"' not in second


def test_an_episode_can_be_asked_alone(pages):
    page = pages.get("/", params={"q": "prices", "episode": HOSTILE.key}).text
    assert "1 passage, best first" in page


@pytest.mark.parametrize("path", ["/?q=call", "/"])
def test_errors_and_an_empty_home_speak_of_no_commands_but_to_who_runs_the_server(tmp_path, path):
    with Client(create_app(Settings(home=tmp_path), opener)) as client:
        answer = client.get(path)
    before_details, _, _ = answer.text.partition("If you run this server")
    assert "soundbite " not in before_details
    assert list(tmp_path.iterdir()) == []


def test_an_index_that_is_not_built_is_said_in_words(tmp_path):
    with Client(create_app(Settings(home=tmp_path), opener)) as client:
        answer = client.get("/?q=call")
    assert answer.status_code == 503
    assert "There is nothing to search yet" in answer.text


def test_an_episode_that_is_not_here_is_a_page_too(pages):
    for address in ("/episodes/nobody", "/episodes?podcast=nosuch"):
        answer = pages.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "soundbite " not in answer.text


def test_what_is_new_is_seen_on_the_pages_after_a_while(own):
    add(own, TIMED)
    with Client(create_app(own, opener)) as client:
        assert GUID not in client.get("/").text
        assert TIMED.episode.title in client.get("/").text
