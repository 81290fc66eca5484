"""Checks of quotes against a small library: exact, near, spliced, absent; and what makes no difference."""

import pytest

from index.build import update
from index.quote_words import tokens
from index.quotes import QuoteChecker
from index.store.lance import Store
from ingest.errors import IndexNotBuiltError, NotFoundError, QueryError
from ingest.library import Library
from ingest.models import Episode, Segment, Transcript, Turn
from tests.fakes import BagOfWords

FIRST = Episode("Selling Well", "g1", "On leaving", audio_url="https://a.example/1.mp3")
SECOND = Episode("Quota Room", "g2", "On prices", link="https://youtu.be/abc")
THIRD = Episode("Quota Room", "g3", "Über Preise")
SAID = (
    Segment(0.0, 4.0, "Welcome to the show, um, about selling.", "Ann"),
    Segment(4.0, 10.0, "The best people don't leave, uh, when somebody asks them for more every single week.", "Ben"),
    Segment(10.0, 14.0, "That is a follow-up question, isn't it?", "Ann"),
    Segment(
        14.0, 30.0, "Nobody reads the long report before the meeting. We send one page, and everyone reads it.", "Ben"
    ),
)
PRICES = (
    Turn("Prices rise in spring because the buyers come back with fresh budgets.", "Eve"),
    Turn("And a discount in autumn is a habit that nobody ever breaks again.", "Dan"),
)
GERMAN = (Turn("Größere Kunden zahlen später, aber sie zahlen immer den vollen Preis.", "Jörg"),)


@pytest.fixture(scope="module")
def checker(tmp_path_factory):
    home = tmp_path_factory.mktemp("quotes")
    library, store = Library(home / "library"), Store(home / "index")
    turns = tuple(Turn(one.text, one.speaker) for one in SAID)
    for transcript in (Transcript(FIRST, turns, SAID), Transcript(SECOND, PRICES), Transcript(THIRD, GERMAN)):
        library.write(transcript)
    update(library, store, BagOfWords())
    return QuoteChecker(library, store, {"quota-room": "The Quota Room"})


@pytest.mark.parametrize(
    "quote",
    [
        "The best people don't leave, uh, when somebody asks them for more every single week.",
        "the best people dont leave when somebody asks them for more",
        "“The best people don’t leave when somebody asks them for MORE!”",  # noqa: RUF001 - a typographic apostrophe is meant
        "THE BEST PEOPLE - DON`T LEAVE, um, when somebody asks them",
        "best, people; don't... leave",
    ],
)
def test_spelling_punctuation_and_fillers_make_no_difference(checker, quote):
    checked = checker.check(quote)
    assert (checked.verdict, checked.likeness) == ("exact", 1.0)
    (place,) = checked.places
    assert (place.speakers, place.start, place.podcast_title) == (
        ("Ben",),
        4.0 if "The" in quote else place.start,
        "Selling Well",
    )
    assert place.differences == ()
    assert place.said.casefold().startswith(("the best", "best people"))


@pytest.mark.parametrize(
    ("quote", "speaker"),
    [
        ("follow up question", "Ann"),
        ("a follow\u2011up question", "Ann"),
        ("grossere kunden zahlen spater", "Jörg"),
        ("Grössere Kunden", "Jörg"),
    ],
)
def test_hyphens_and_accents_make_no_difference(checker, quote, speaker):
    assert [(checker.check(quote).verdict, place.speakers) for place in checker.check(quote).places] == [
        ("exact", (speaker,))
    ]


def test_a_place_has_the_moment_the_link_and_a_permanent_name(checker):
    (place,) = checker.check("Prices rise in spring because the buyers").places
    assert (place.key, place.title, place.podcast, place.podcast_title) == (
        SECOND.key,
        "On prices",
        "quota-room",
        "The Quota Room",
    )
    assert (place.link, place.start, place.address) == ("https://youtu.be/abc", None, f"/v1/passages/{place.id}")
    (timed,) = checker.check("nobody reads the long report").places
    assert timed.play_url == f"https://a.example/1.mp3#t={timed.start - 2:.2f}".rstrip("0").rstrip(
        "."
    ) + f",{timed.end:.2f}".rstrip("0").rstrip(".")


@pytest.mark.parametrize(
    ("quote", "differences"),
    [
        ("The best people leave when somebody asks them for more every single week.", [("", "dont")]),
        ("Prices fall in spring because the buyers come back with fresh budgets", [("fall", "rise")]),
        ("Nobody reads the very long report before the meeting. We send one page", [("very", "")]),
    ],
)
def test_a_near_quote_shows_what_differs(checker, quote, differences):
    checked = checker.check(quote)
    assert checked.verdict == "near"
    assert 0.75 <= checked.likeness < 1
    assert [(one.quoted, one.said) for one in checked.places[0].differences] == differences


@pytest.mark.parametrize(
    ("quote", "keys"),
    [
        (
            "Prices rise in spring because the buyers come back when somebody asks them for more every single week",
            [SECOND, FIRST],
        ),
        (
            "We send one page, and everyone reads it. The best people don't leave when somebody asks them",
            [FIRST, FIRST],
        ),
        (
            "The best people don't leave when somebody asks … a discount in autumn is a habit that nobody ever breaks",
            [FIRST, SECOND],
        ),
    ],
)
def test_pieces_of_several_places_are_told_from_one_quote(checker, quote, keys):
    checked = checker.check(quote)
    assert checked.verdict == "spliced"
    assert [place.key for place in checked.places] == [episode.key for episode in keys]
    assert all(place.quoted for place in checked.places)


def test_an_ellipsis_may_stand_for_a_few_words(checker):
    for mark in ("…", "...", "[...]", "[…]", ". . ."):
        checked = checker.check(f"The best people don't leave {mark} every single week")
        assert checked.verdict == "exact"
        assert checked.places[0].said.endswith("every single week.")
        assert "ellipsis" in checked.notes[0]


@pytest.mark.parametrize(
    "quote",
    [
        "Our product doubles your revenue overnight, guaranteed",
        "wholly unsaid words stand here",
        "買い手は春に戻ってくる",
    ],
)
def test_what_nobody_said_is_absent(checker, quote):
    assert checker.check(quote).verdict == "absent"


def test_words_of_two_speakers_are_said_to_be_so(checker):
    checked = checker.check("with fresh budgets. And a discount in autumn is a habit")
    assert (checked.verdict, checked.places[0].speakers) == ("exact", ("Eve", "Dan"))
    assert checked.notes == ("The words are of more than one speaker",)


def test_a_quote_may_be_looked_for_in_one_episode_or_podcast(checker):
    quote = "Prices rise in spring because the buyers"
    assert checker.check(quote, episode="g2").verdict == "exact"
    assert checker.check(quote, episode=FIRST.key).verdict == "absent"
    assert checker.check(quote, podcast=("Quota Room",)).verdict == "exact"
    assert checker.check(quote, podcast=("Selling Well",)).verdict == "absent"
    with pytest.raises(NotFoundError):
        checker.check(quote, episode="nobody")


@pytest.mark.parametrize(
    ("quote", "verdict"), [("", "absent"), ("um, uh", "absent"), ("fresh budgets", "exact"), ("nobody", "exact")]
)
def test_few_words_are_checked_and_said_to_be_few(checker, quote, verdict):
    checked = checker.check(quote)
    assert checked.verdict == verdict
    assert checked.notes


def test_a_quote_that_is_too_long_is_refused(checker):
    with pytest.raises(QueryError, match="3,000"):
        checker.check("x " * 2_000)


def test_an_episode_is_checked_without_an_index(checker, tmp_path):
    alone = QuoteChecker(checker.library, Store(tmp_path), {})
    assert alone.check("Prices rise in spring because", episode="g2").verdict == "exact"
    with pytest.raises(IndexNotBuiltError):
        alone.check("Prices rise in spring because")


def test_words_are_compared_without_what_is_not_heard():
    assert tokens(["It\u2019s", "a", "follow-up,", "um:", "Café—NAÏVE", "£5"]).words == [
        "its",
        "a",
        "follow",
        "up",
        "cafe",
        "naive",
        "5",
    ]
    assert tokens(["日本語。", "ok"]).words == ["日", "本", "語", "ok"]
