import pytest

from index.text.highlights import TokenCache, highlights
from index.text.terms import stems


def marked(text, terms, language="en", **options):
    [spans] = highlights([text], frozenset(terms), language, **options)
    return [text[begin:end] for begin, end in spans]


def test_the_words_of_a_query_are_highlighted_where_they_stand():
    text = "Ann’s café sells; SELLING well is an art."  # noqa: RUF001 - the typographic one is meant
    assert ["Ann’s", "café", "sells", "SELLING"] == marked(text, {"sell", "cafe", "ann"})  # noqa: RUF001
    assert [] == marked(text, ())


def test_words_are_highlighted_text_by_text():
    assert [[(4, 7), (14, 17)], [], [(0, 5)]] == highlights(["one two three Two", "four", "two’s"], frozenset({"two"}))  # noqa: RUF001


@pytest.mark.parametrize(
    ("text", "word", "language", "expected"),
    [
        ("量子计算机在未来", "计算机", "zh", ["计算机"]),
        ("Der Backofen, die Straße", "STRASSE", "de", ["Straße"]),
        ("A cold-calling day", "calling", "en", ["calling"]),
        ("A follow-up, a followup", "follow-up", "en", ["follow-up", "followup"]),
        ("in 2,000 days", "2000", "en", ["2,000"]),
        ("การประชุมตัวต่อตัวสำคัญมาก", "ประชุม", "th", ["ประชุม"]),
        ("ສຳຄັນຫຼາຍ", "ສຳຄັນ", "lo", ["ສຳຄັນ"]),
    ],
)
def test_what_is_found_is_what_is_highlighted(text, word, language, expected):
    assert expected == marked(text, stems(word, language), language)


def test_phrases_and_compounds_in_several_words_are_one_span():
    text = "Product market fit, a product, and to follow up on it."
    assert ["Product market fit", "product"] == marked(text, {"product"}, phrases=[("product", "market", "fit")])
    assert ["to follow up"] == marked(text, {"x"}, phrases=[("_to", "follow", "up"), ("market", "product")])
    assert ["follow up"] == marked(text, {"followup"}, paired=True)
    assert [] == marked(text, {"followup"})


def test_the_cache_answers_however_many_tokens_it_has_seen():
    cache = TokenCache(size=2)
    for _ in range(2):
        assert {"two", "two,"} == set(cache.tokens_with(["two"], ["one", "two", "two,"]))
