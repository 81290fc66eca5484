import pytest

from index.text.phrases import MAX_ROWS, places, rows_of, said
from index.text.terms import spoken


def has(text, phrase, language="en"):
    terms = [term.text for term in spoken(text, language)]
    return any(list(places(terms, row)) for row in rows_of(phrase, [language]))


@pytest.mark.parametrize(
    ("phrase", "rows"),
    [
        ("follow-up plan", {("followup", "plan"), ("follow", "up", "plan")}),
        ("follow up plan", {("followup", "plan"), ("follow", "up", "plan")}),
        ("on-boarding", {("onboard",)}),
        ("one on one", {("one", "_on", "one"), ("oneonon",)}),
        ("cold-calling", {("cold", "call")}),
        ("state of the art", {("state", "_of", "_the", "art")}),
        ("$2.5M", {("2.5m",), ("2.5", "million"), ("2500000",)}),
    ],
)
def test_a_phrase_is_written_in_each_way_that_says_the_same(phrase, rows):
    assert rows == set(rows_of(phrase, ["en"]))


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("The team. Company cars come last.", "team company"),
        ("It is the state of the art.", "state of the art"),
        ("It is state-of-the-art.", "state of the art"),
        ("To be or not to be, that is it.", "to be or not to be"),
        ("Our one-on-one. Beavers build.", "one-on-one. Beavers build"),
        ("We had 5k. Moles dig.", "5k. Moles"),
        ("Le café. Chats noirs", "cafe chats"),
        ("We spent $10M on it", "10 million"),
        ("We spent 10 million on it", "$10M"),
        ("We spent 10,000,000 on it", "10 million on"),
        ("With 10k users", "10,000 users"),
        ("With 10,000 users", "10k users"),
        ("With 2.5 billion users", "2.5bn users"),
        ("客户免费打折。客户来了", "免费打折。客户"),
        ("带足够的水。", "水"),
        ("It’s the DÉJÀ vu", "it's the deja VU"),  # noqa: RUF001
    ],
)
def test_what_is_said_in_a_row_is_found(text, phrase):
    assert has(text, phrase, "" if not phrase[0].isascii() else "en")


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("The team and the company", "team company"),
        ("teams at a company", "team company"),
        ("marketing and sales", "marketing sales"),
        ("the state in the art", "state of the art"),
        ("Do give discounts", "do not give discounts"),
        ("We spent 10 billion", "$10M"),
        ("We had 10 users", "10k users"),
        ("a company team", "team company"),
        ("打折免费", "免费打折"),
    ],
)
def test_what_is_said_otherwise_is_not(text, phrase):
    assert not has(text, phrase, "" if not phrase[0].isascii() else "en")


def test_a_row_without_its_stop_words_is_what_is_indexed():
    assert ("state", "art") == said(("state", "_of", "_the", "art"))
    assert () == said(("_to", "_be"))


def test_a_phrase_full_of_numbers_has_few_rows():
    assert len(rows_of(" ".join(f"{n}m" for n in range(1, 200)), ["en", "de"])) <= MAX_ROWS
    assert not rows_of("?! --", ["en"])
